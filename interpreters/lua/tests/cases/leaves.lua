--@ select
local function p(...) print(select("#", ...), ...) end
p(select(1, 1, 2, 3)) p(select(-1, 1, 2, 3)) p(select(-3, 1, 2, 3)) p(select(4, 1, 2, 3)) p(select(10, 1)) p((select(2, 1, 2)), (select(3, 1, 2)), (select(-2, 5, 6)))
p(pcall(select, 0, 1)) p(pcall(select, -2, 1)) p(pcall(select, "x")) p(select("2", 1, 2, 3)) p(pcall(select)) p(select('#')) p(pcall(select, math.mininteger, 1))
--@ byte and numbers
local function p(...) print(select("#", ...), ...) end
p(string.byte("abc", 0)) p(string.byte("abc", -1)) p(string.byte("abc", 10)) p(string.byte("abc", -10)) p(string.byte("abc", "2")) p(string.byte(12)) p(string.byte("abc", 1, -1)) p(string.byte("abc",2,nil))
p(pcall(string.byte)) p(pcall(string.byte, "a", {})) p(math.floor("3.7")) p(pcall(math.floor, "x")) p(pcall(math.floor)) p(math.max("a", "b")) p(pcall(math.max)) p(pcall(math.max, 1, "x")) p(math.max(1, 2.5), math.min(2, 1.0, 3), math.max(0/0, 1), math.max(1, 0/0))
--@ metatables
local function p(...) print(select("#", ...), ...) end
p(pcall(setmetatable, {}, 1)) p(pcall(setmetatable, 1, {})) p(pcall(setmetatable, {})) p(getmetatable("").__index == string) p(getmetatable(setmetatable({}, {__metatable = "no"}))) p(pcall(setmetatable, setmetatable({}, {__metatable = 1}), {}))
--@ texts and tonumber
local function p(...) print(select("#", ...), ...) end
p(pcall(getmetatable)) p(tostring(setmetatable({}, {__tostring = function() return "T" end}))) p(tostring(1.0), tostring(-0.0), tostring("x")) p(pcall(tostring)) debug.setmetatable(1, {__tostring = function(n) return "num" end}) p(tostring(5)) debug.setmetatable(1, nil) p(tostring(5))
p(tonumber("0x10"), tonumber("10", 2), tonumber(nil)) p(pcall(tonumber)) p(pcall(tonumber, 10, 99)) p(tonumber("z", 36))
--@ lists
local function p(...) print(select("#", ...), ...) end
p(table.unpack({1, 2, nil, 4}, 1, 4)) p(table.unpack({}, 1, 3)) p(table.unpack({1, 2, 3}, -1, 1)) p(pcall(table.unpack, {}, 1, 1e8)) p(table.unpack(setmetatable({}, {__index = function(_, i) return i end}), 1, 3)) p(pcall(table.unpack))
local t = {} p(pcall(table.insert, t)) p(table.insert(t, 1)) p(table.insert(t, 1, 0)) p(pcall(table.insert, t, 9, 9)) p(pcall(table.insert, t, 1, 2, 3)) p(#t, table.remove(t), table.remove(t), table.remove(t), #t) p(pcall(table.insert, nil, 1))
--@ raw access and assert
local function p(...) print(select("#", ...), ...) end
local t = {}
p(rawget({a = 1}, "a"), rawlen({1, 2}), rawlen("abc"), rawequal(t, t)) p(pcall(rawlen, 1)) p(pcall(rawget, {})) p(pcall(rawequal, 1)) p(assert(1, 2, 3)) p(pcall(assert, nil)) p(pcall(assert, false, {1} and "m")) p(pcall(assert))
--@ mathematics
local function p(...) print(select("#", ...), ...) end
p(math.type(1), math.type(1.0), math.type("1")) p(math.tointeger("8"), math.tointeger(3.0), math.tointeger(3.5), math.tointeger({})) p(pcall(math.tointeger)) p(math.log(8, 2), math.log(100, 10), math.log(1), math.abs(-3), math.abs("-3"), math.abs(math.mininteger))
--@ pairs and strings
local function p(...) print(select("#", ...), ...) end
p(pcall(pairs)) p(pcall(ipairs)) for k, v in pairs(setmetatable({}, {__pairs = function() return next, {7}, nil end})) do p(k, v) end p(string.char(), string.char(65, 66)) p(pcall(string.char, 256)) p(pcall(string.char, -1, 2)) p(("x"):rep(3):sub(2), ("hello"):sub(-3, -2), ("a"):sub(5)) p(pcall(string.sub)) p(pcall(string.sub, "a")) p(#string.sub(12345, 2)) p(type(nil)) p(pcall(type)) p(pcall(("x").bad)) p(pcall(string.len)) p(string.len(12))
--@ errors again and again
local function p(...) print(select("#", ...), ...) end
local t = {}
for i = 1, 3 do p(pcall(function() return ("x"):byte({}) end)) p(pcall(function() local x = math.floor({}) end)) p(pcall(function() t.x.y = 1 end)) end
--@ yielding from __pairs
local function p(...) print(select("#", ...), ...) end
local co = coroutine.wrap(function() for k in pairs(setmetatable({}, {__pairs = function() coroutine.yield(1) return next, {}, nil end})) do end return 2 end) p(pcall(co)) p(pcall(co))
--@ which of several cannot be concatenated
local a, b, c
print(pcall(function() return a .. b end)) print(pcall(function() return a .. b .. "x" end)) print(pcall(function() return "x" .. a .. b end)) print(pcall(function() return a .. "x" .. c end)) print(pcall(function() return x .. y end)) print(pcall(function() return a .. b .. c end))
