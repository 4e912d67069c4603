-- Binary trees: many small tables.
local size = tonumber((...)) or 10
local function make(depth)
  if depth == 0 then return {} end
  return { make(depth - 1), make(depth - 1) }
end
local function count(tree)
  if tree[1] then return 1 + count(tree[1]) + count(tree[2]) end
  return 1
end
local long, total = make(15), 0
for depth = 4, 15, 2 do
  for _ = 1, size << (16 - depth) do total = total + count(make(depth)) end
end
print(total, count(long))
