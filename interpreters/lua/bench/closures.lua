-- Functions that take and return functions.
local size = tonumber((...)) or 10
local function map(list, f)
  local out = {}
  for i = 1, #list do out[i] = f(list[i]) end
  return out
end
local function filter(list, f)
  local out = {}
  for i = 1, #list do
    if f(list[i]) then out[#out + 1] = list[i] end
  end
  return out
end
local function fold(list, start, f)
  for i = 1, #list do start = f(start, list[i]) end
  return start
end
local function compose(f, g) return function(x) return f(g(x)) end end
local function adder(n) return function(x) return x + n end end
local list = {}
for i = 1, 1000 do list[i] = i end
local total = 0
for round = 1, 2000 * size do
  local f = compose(adder(round), adder(1))
  local kept = filter(map(list, f), function(x) return x % 3 == 0 end)
  total = total + fold(kept, 0, function(a, b) return a + b end)
end
print(total)
