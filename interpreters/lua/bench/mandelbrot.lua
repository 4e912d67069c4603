-- A picture of the Mandelbrot set: float arithmetic in loops.
local size = tonumber((...)) or 4
local inside = 0
size = 400 * size
for row = 0, size - 1 do
  local ci = 2.0 * row / size - 1.0
  for column = 0, size - 1 do
    local cr = 2.0 * column / size - 1.5
    local zr, zi, n = 0.0, 0.0, 0
    while n < 50 do
      local r2, i2 = zr * zr, zi * zi
      if r2 + i2 > 4.0 then break end
      zr, zi = r2 - i2 + cr, 2.0 * zr * zi + ci
      n = n + 1
    end
    if n == 50 then inside = inside + 1 end
  end
end
print(inside)
