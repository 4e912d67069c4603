-- Two coroutines that pass values, and generators in generators.
local size = tonumber((...)) or 6
local ping = coroutine.wrap(function(x)
  while true do x = coroutine.yield(x + 1) end
end)
local x = 0
for _ = 1, 2000000 * size do x = ping(x) end
local function range(n)
  return coroutine.wrap(function()
    for i = 1, n do coroutine.yield(i) end
  end)
end
local sum = 0
for i in range(1000) do
  for j in range(300) do sum = sum + i * j end
end
print(x, sum)
