-- Recursive calls.
local size = tonumber((...)) or 12
local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end
for _ = 2, size do fib(32) end
print(fib(32))
