-- The spectral norm of an infinite matrix: calls and floats.
local size = tonumber((...)) or 5
local function element(i, j)
  local ij = i + j - 1
  return 1.0 / (ij * (ij - 1) * 0.5 + i)
end
local function times(x, y, n, transposed)
  for i = 1, n do
    local sum = 0.0
    for j = 1, n do
      sum = sum + x[j] * (transposed and element(j, i) or element(i, j))
    end
    y[i] = sum
  end
end
local n = 400
local u, v, t = {}, {}, {}
for i = 1, n do u[i] = 1.0 end
for _ = 1, 10 * size do
  times(u, t, n, false)
  times(t, v, n, true)
  times(v, t, n, false)
  times(t, u, n, true)
end
local uv, vv = 0.0, 0.0
for i = 1, n do
  uv = uv + u[i] * v[i]
  vv = vv + v[i] * v[i]
end
print(string.format("%.9f", math.sqrt(uv / vv)))
