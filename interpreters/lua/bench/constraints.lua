-- Variables that follow each other by constraints, planned again when one changes.
local size = tonumber((...)) or 6
local Variable, Equal, Scale = {}, {}, {}
Variable.__index, Equal.__index, Scale.__index = Variable, Equal, Scale
function Variable.new(value) return setmetatable({ value = value, from = nil, uses = {}, mark = 0, strength = 0 }, Variable) end
local function attach(constraint, source, target)
  constraint.source, constraint.target = source, target
  source.uses[#source.uses + 1] = constraint
  target.from = constraint
  return constraint
end
function Equal.new(source, target) return attach(setmetatable({ strength = 2 }, Equal), source, target) end
function Equal:execute() self.target.value = self.source.value end
function Scale.new(source, target, factor, offset)
  return attach(setmetatable({ factor = factor, offset = offset, strength = 1 }, Scale), source, target)
end
function Scale:execute() self.target.value = self.source.value * self.factor + self.offset end
local mark = 0
local function plan(variable)
  mark = mark + 1
  local steps, queue, head = {}, { variable }, 1
  while queue[head] do
    local uses = queue[head].uses
    head = head + 1
    for i = 1, #uses do
      local constraint = uses[i]
      local target = constraint.target
      if target.mark ~= mark and target.from == constraint then
        target.mark, target.strength = mark, constraint.strength
        steps[#steps + 1], queue[#queue + 1] = constraint, target
      end
    end
  end
  return steps
end
local first = Variable.new(0)
local last, leaves = first, {}
for i = 1, 300 do
  local next = Variable.new(i)
  if i % 2 == 0 then Equal.new(last, next) else Scale.new(last, next, 1, 1) end
  local leaf = Variable.new(0)
  Scale.new(next, leaf, 2, i)
  leaves[i] = leaf
  last = next
end
local total = 0
for round = 1, 2500 * size do
  local steps = plan(first)
  first.value = round
  for i = 1, #steps do steps[i]:execute() end
  total = (total + last.value + leaves[round % 300 + 1].value) % 1000007
end
print(total)
