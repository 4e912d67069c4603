-- The product of matrices: nested arrays.
local size = tonumber((...)) or 10
local n = 200
local function matrix(f)
  local rows = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do row[j] = f(i, j) end
    rows[i] = row
  end
  return rows
end
local a = matrix(function(i, j) return (i - j) * (i + j) / n end)
local b = matrix(function(i, j) return (i + 2 * j) / n end)
local c = matrix(function() return 0.0 end)
for _ = 1, size do
  for i = 1, n do
    local ai, ci = a[i], c[i]
    for j = 1, n do
      local sum = 0.0
      for k = 1, n do sum = sum + ai[k] * b[k][j] end
      ci[j] = sum
    end
  end
end
print(c[1][1], c[n // 2][n // 2], c[n][n])
