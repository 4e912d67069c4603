-- Errors that are raised and caught.
local size = tonumber((...)) or 6
local function check(x)
  if x % 3 == 0 then error({ code = x }) end
  if x % 5 == 0 then error("five", 0) end
  return x
end
local good, tables, texts = 0, 0, 0
for i = 1, 1500000 * size do
  local ok, result = pcall(check, i)
  if ok then
    good = good + result
  elseif type(result) == "table" then
    tables = tables + result.code
  else
    texts = texts + #result
  end
end
print(good, tables, texts)
