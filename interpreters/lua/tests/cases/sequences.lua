--@ keys
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
local t = {}
t[1] = "a" t[1.0] = "b" t[2^53] = "c" t["1"] = "d" t[-0.0] = "z" t[0] = "zz"
print(t[1], t[2^53|0], t["1"], t[0.0], t[-0.0], #t)
print(pcall(function() t[0/0] = 1 end)) print(pcall(function() t[nil] = 1 end)) print(t[nil], t[0/0])
print(pcall(rawset, t, nil, 1)) print(pcall(rawset, t, 0/0, 1)) print(pcall(next, t, "nokey")) print(pcall(next, {}, 1)) print(rawequal("a", "a"), rawequal({}, {}), rawlen({1,2}), rawlen("abc"), pcall(rawlen, 3))
for k, v in pairs({1.5, [1.5] = "x", [3.0] = "y"}) do print(math.type(k), k, v) end
local big = {} for i = 1, 100 do big[i] = i end for i = 1, 100, 2 do big[i] = nil end
--@ unpack
local function cnt(...) return select("#", ...) end
local s, n = 0, 0 for k, v in pairs(big) do s = s + v n = n + 1 big[k] = nil end print(s, n, next(big))
local t = {10, 20, 30, nil, 50} print(#t == 5 or #t == 3, select('#', table.unpack(t, 1, 5)))
local t = {n = 0, f = 1, [1] = "x", "y"} print(t[1])
local function cnt(...) return select('#', ...) end
--@ move
print(cnt(table.unpack({}, 1, 3)), cnt(nil, nil), cnt())
print(pcall(table.unpack, {}, 1, 1e7)) print(pcall(table.unpack, {}, 1, 1e8)) print(pcall(table.unpack, {}, math.mininteger, math.maxinteger)) print(pcall(table.unpack, {}, 1, math.maxinteger)) print(table.unpack({1,2}, math.maxinteger, math.maxinteger)) print(table.unpack({}, math.maxinteger, 1)) print(table.unpack({1,2,3}, -1, 1)) print(table.unpack({1,2,3}, 2)) print(table.unpack("abc", 1, 0))
print(pcall(table.unpack)) print(pcall(table.unpack, {}, "a")) print(pcall(table.unpack, {}, 1.5))
local function mv(...) local ok, r = pcall(table.move, ...) if ok then local o = {} for i = -2, 8 do o[#o+1] = tostring(r[i]) end print(table.concat(o, " ")) else print(r) end end
mv({1,2,3}, 1, 3, 2) mv({1,2,3}, 2, 3, 1) mv({1,2,3}, 1, 3, 1) mv({1,2,3}, 1, 0, 3) mv({1,2,3}, 1, 3, -2) mv({1,2,3}, 1, 3, 1, {}) mv({}, math.mininteger, math.maxinteger, 1) mv({}, 1, math.maxinteger, 2) mv({}, math.mininteger, -2, 2) mv({}, -1, math.maxinteger, 1) mv({}, math.maxinteger, math.maxinteger, 1) mv({[math.maxinteger] = 7}, math.maxinteger, math.maxinteger, 1) mv({1}, 1, 1, math.maxinteger) mv(1, 2, 3) mv({}, 1) mv({}, 1, 2, 3, 4)
--@ concat, insert, remove, select
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
local log = {} local p = setmetatable({}, {__index = function(_, k) log[#log+1] = "r" .. k return k * 10 end, __newindex = function(_, k, v) log[#log+1] = "w" .. k .. "=" .. v end})
table.move(p, 1, 3, 2) print(table.concat(log, " ")) log = {} table.move(p, 2, 4, 1) print(table.concat(log, " ")) log = {}
table.move(p, 1, 3, 1, {}) print(table.concat(log, " "))
print(table.concat({1, 2.5, "x"}, ", "), table.concat({}, "x"), table.concat({1,2,3}, "-", 2, 3), table.concat({1,2,3}, "-", 3, 2)) print(pcall(table.concat, {1, {}, 3})) print(pcall(table.concat, {1,2}, ",", 1, 3)) print(pcall(table.concat, {}, {}, 1))  print(table.concat({[math.maxinteger] = "m"}, "x", math.maxinteger, math.maxinteger))
--@ iterators
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
print(pcall(table.insert, {1,2,3}, 5, 1)) print(pcall(table.insert, {1,2,3}, 0, 1)) print(pcall(table.insert, {})) print(pcall(table.insert, {}, 1, 2, 3)) print(pcall(table.insert, {}, "a", 2)) print(pcall(table.insert, nil, 1)) print(pcall(table.insert, {}, 1.5, 2)) local t = {1,2,3} table.insert(t, 4, "e") table.insert(t, 1, "b") print(table.concat(t, ","))
print(table.remove({}), table.remove({}, 0), pcall(table.remove, {1,2,3}, 5)) print(table.remove({1,2,3}, 4), table.remove({1,2,3}, 1), table.remove({1,2,3}, 3), pcall(table.remove, {1,2,3}, 0)) print(table.remove({[0] = "z"}, 0), table.remove({}, nil)) local t = {n=1, 1,2,3} print(table.remove(t), #t)
print(table.pack().n, table.pack(nil, nil).n) print(select(-1, 1, 2, 3), pcall(select, -4, 1, 2, 3)) print(pcall(select, 0, 1)) print(select(2, "a", "b", "c")) print(select(5, 1)) print(pcall(select)) print(pcall(select, "x")) print(select("#")) print(select(2.0, 1, 2))
print(pcall(setmetatable, 1, {})) print(pcall(setmetatable, {})) print(pcall(setmetatable, {}, 1)) print(getmetatable("").__index == string, getmetatable(setmetatable({}, {__metatable = "prot"})), pcall(setmetatable, setmetatable({}, {__metatable = 1}), {}))
print(#"abc", #{1,2,nil}, #{n = 1}) print(next({}), type(next), next({5}))
local t = setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, 2, 3 end end, t, nil, nil end}) for a, b, c in pairs(t) do print(a, b, c) end
local t = setmetatable({}, {__index = function(t, i) if i < 4 then return i * i end end}) for i, v in ipairs(t) do print(i, v) end print(pcall(ipairs)) print(pcall(pairs, nil)) print(pcall(ipairs, nil)) 
for i, v in ipairs("abc") do print(i) end
--@ sort
local function chk(t, f) table.sort(t, f) return table.concat(t, " ") end
print(chk{3,1,2}) print(chk({3,1,2}, function(a,b) return a > b end)) print(chk{}) print(chk{1}) print(chk{"b", "a", "C", "", "aa"})
print(pcall(table.sort, {1, "a", 2})) print(pcall(table.sort, {1,2,3}, 1)) print(pcall(table.sort, {3,2,1,4,5}, function(a,b) return true end) ) print(pcall(table.sort, {{}, {}}))
print(pcall(table.sort, {1,2,3,4,5,6,7,8,9,10,11,12}, function() return true end))
local t = {} for i = 1, 500 do t[i] = (i * 7919) % 503 end table.sort(t) for i = 2, 500 do assert(t[i-1] <= t[i]) end
local t = {} for i = 1, 300 do t[i] = i end table.sort(t, function(a, b) return a > b end) print(t[1], t[300]) local t = {} for i = 1, 300 do t[i] = false end pcall(table.sort, t, function() return nil end)
local AA = {"\xE1lo", "\0first :-)", "alo", "then this one", "45", "and a new"} table.sort(AA) for _, v in ipairs(AA) do io.write(string.format("%q ", v)) end print()
print(pcall(table.sort, setmetatable({}, {__len = function() return math.maxinteger end})))
print(pcall(table.sort, setmetatable({}, {__len = function() return "x" end}))) print(pcall(table.insert, setmetatable({}, {__len = function() return 1.5 end}), 1)) print(#setmetatable({}, {__len = function() return "lenny" end}))
--@ comparisons
print("a" < "b", "a" < "a\0", "a\0b" < "a\0c", "" < "a", "Z" < "a", "10" < "9", pcall(function() return 1 < "2" end)) print(pcall(function() return {} < {} end)) print(pcall(function() return nil > 1 end)) print(pcall(function() return print <= print end)) print(1 < 1.5, 1 == 1.0, math.maxinteger < math.maxinteger + 0.0, math.maxinteger + 0.0 == math.maxinteger, 2^63 > math.maxinteger, math.mininteger <= -2^63, -2^63 <= math.mininteger, 0/0 == 0/0, 1 < 0/0, 0/0 < 1, 1 >= 0/0)
