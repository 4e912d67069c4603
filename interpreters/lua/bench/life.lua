-- The game of life on a torus.
local size = tonumber((...)) or 14
local width, height = 96, 96
local cells = {}
for y = 1, height do
  cells[y] = {}
  for x = 1, width do cells[y][x] = (x * 7 + y * 13 + x * y) % 5 == 0 and 1 or 0 end
end
for _ = 1, 120 * size do
  local new = {}
  for y = 1, height do
    local above, row, below = cells[(y - 2) % height + 1], cells[y], cells[y % height + 1]
    local out = {}
    for x = 1, width do
      local left, right = (x - 2) % width + 1, x % width + 1
      local n = above[left] + above[x] + above[right] + row[left] + row[right] + below[left] + below[x] + below[right]
      out[x] = (n == 3 or n == 2 and row[x] == 1) and 1 or 0
    end
    new[y] = out
  end
  cells = new
end
local alive = 0
for y = 1, height do for x = 1, width do alive = alive + cells[y][x] end end
print(alive)
