-- Pattern matching.
local size = tonumber((...)) or 16
local lines = {}
for i = 1, 20000 do
  lines[i] = string.format("2024-%02d-%02d host%d user=%s id=%d", i % 12 + 1, i % 28 + 1, i % 7, ("abcde"):sub(1, i % 5 + 1), i)
end
local text = table.concat(lines, "\n")
local months, users, sum = {}, {}, 0
for _ = 1, 3 * size do
  for line in text:gmatch("[^\n]+") do
    local month, host, user, id = line:match("^%d+%-(%d+)%-%d+ (%w+) user=(%a+) id=(%d+)$")
    months[month] = (months[month] or 0) + 1
    users[host .. user] = (users[host .. user] or 0) + 1
    sum = sum + tonumber(id)
  end
end
local replaced, count = text:gsub("user=(%a+)", function(name) return "<" .. name .. ">" end)
print(sum, #replaced, count, months["01"], text:find("id=19999", 1, true))
