-- Building texts.
local size = tonumber((...)) or 20
local parts = {}
for i = 1, 30000 * size do parts[#parts + 1] = "item " .. i .. (i % 2 == 0 and " even" or " odd") end
local text = table.concat(parts, ";")
local s = ""
for i = 1, 20000 do s = s .. string.char(97 + i % 26) end
local upper = {}
for i = 1, #s, 100 do upper[#upper + 1] = s:sub(i, i + 9):upper():reverse() end
local formatted = 0
for i = 1, 20000 * size do formatted = formatted + #string.format("%05d:%s:%.2f", i, "x", i / 3) end
print(#text, #s, #table.concat(upper), formatted)
