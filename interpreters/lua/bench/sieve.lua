-- Primes: a large array of booleans.
local size = tonumber((...)) or 12
local count = 0
for _ = 1, size do
  local composite, limit = {}, 2000000
  for i = 1, limit do composite[i] = false end
  for i = 2, limit do
    if not composite[i] then
      count = count + 1
      for j = i * i, limit, i do composite[j] = true end
    end
  end
end
print(count)
