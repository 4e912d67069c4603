-- Functions with any number of arguments.
local size = tonumber((...)) or 5
local function sum(...)
  local total = 0
  for i = 1, select("#", ...) do total = total + (select(i, ...)) end
  return total
end
local function pass(...) return ... end
local function count(...) return #{ ... } end
local function rotate(first, ...) return select("#", ...), ..., first end
local total = 0
for i = 1, 600000 * size do
  total = total + sum(i, 2, 3, 4, 5) + count(pass(i, i, i)) + select("#", rotate(1, 2, 3))
  local a, b = pass(i, total)
  total = (a + b) % 1000003
end
print(total, table.unpack({ pass(1, 2, 3) }))
