--@ constructors
local t = {1, 2, 3, x = 4, ["y z"] = 5, [10] = 6, 7; 8} print(#t, t[4], t[5], t.x, t["y z"], t[10])
local function f() return 1, 2, 3 end
print(#{f()}, #{f(), f()}, #{(f())}, #{f(), nil}, #{n = f()}, select("#", table.unpack({f(), f(), n = 1})))
local big = {} for i = 1, 200 do big[i] = i end print(#big, big[200])
print(#{nil}, #{nil, 2}, #{1, nil, 3}, #{n = 1})
--@ length and holes
local t = {} for i = 1, 10 do t[i] = i end t[10] = nil t[9] = nil print(#t) t[#t + 1] = "x" print(#t, t[9])
local r = {} for i = 10, 1, -1 do r[i] = i end print(#r) for i = 1, 10 do r[i] = nil end print(#r, next(r))
local s = {} s[2] = 2 s[1] = 1 s[4] = 4 s[3] = 3 print(#s)
--@ keys of all kinds
local t = {} local k = {} t[1] = "int" t[1.5] = "float" t["1"] = "str" t[true] = "bool" t[k] = "table" t[print] = "func" t[2^53] = "big"
print(t[1.0], t[1.5], t["1"], t[true], t[k], t[print], t[2^53|0], t[{}], t[nil], t[0/0])
print(pcall(function() t[nil] = 1 end), pcall(function() t[0/0] = 1 end), pcall(rawset, t, nil, 1))
t[1] = nil t[1.5] = nil print(t[1], t[1.5])
--@ next and pairs
local t = {10, 20, 30, a = 1, b = 2} local n, sum = 0, 0 for k, v in pairs(t) do n = n + 1 sum = sum + v end print(n, sum)
for k in pairs(t) do t[k] = nil end print(next(t)) print(pcall(next, {}, "nokey")) print(rawlen({1, 2}), rawlen("abc"), rawequal(t, t), rawget({5}, 1))
for i, v in ipairs({1, 2, nil, 4}) do io.write(i, "=", v, " ") end print()
local m = setmetatable({}, {__index = function(_, i) if i < 4 then return i * 10 end end}) for i, v in ipairs(m) do io.write(i, "=", v, " ") end print()
local p = setmetatable({}, {__pairs = function(t) return function(_, k) k = (k or 0) + 1 if k < 4 then return k, k * k end end, t, nil end}) for k, v in pairs(p) do io.write(k, "=", v, " ") end print()
--@ many fields
local t = {} for i = 1, 1000 do t["k" .. i] = i end local n = 0 for k, v in pairs(t) do assert(t[k] == v and k == "k" .. v) n = n + 1 end print(n)
for i = 1, 1000, 2 do t["k" .. i] = nil end n = 0 for _ in pairs(t) do n = n + 1 end print(n, t.k1, t.k2)
--@ insert and remove
local t = {} table.insert(t, "a") table.insert(t, 1, "b") table.insert(t, 2, "c") print(table.concat(t, ",")) print(table.remove(t, 1), table.remove(t), table.concat(t, ","), table.remove(t), table.remove(t), #t)
print(pcall(table.insert, {1}, 5, 2), pcall(table.insert, {}, 1, 2, 3), pcall(table.insert, {}), pcall(table.remove, {1, 2}, 7), pcall(table.insert, nil, 1))
--@ concat
print(table.concat({1, 2.5, "x"}, "-"), table.concat({}, ","), table.concat({1, 2, 3}, ",", 2), table.concat({1, 2, 3}, ",", 2, 2), table.concat({1, 2, 3}, ",", 3, 2), pcall(table.concat, {1, {}, 3}))
--@ unpack and pack
print(table.unpack({1, 2, 3})) print(table.unpack({1, 2, 3}, 2)) print(table.unpack({1, 2, 3}, 2, 5)) print(table.pack(1, nil, 3).n, table.pack().n, pcall(table.unpack, {}, 1, 1e8))
--@ move
print(table.concat(table.move({1, 2, 3}, 1, 3, 2), ","), table.concat(table.move({1, 2, 3}, 2, 3, 1), ","), table.concat(table.move({1, 2, 3}, 1, 3, 1, {}), ","), #table.move({}, 1, 0, 1))
--@ sort
local t = {5, 2, 8, 1, 9, 3} table.sort(t) print(table.concat(t, " ")) table.sort(t, function(a, b) return a > b end) print(table.concat(t, " "))
local w = {"pear", "apple", "fig"} table.sort(w) print(table.concat(w, " ")) local m = {} for i = 1, 500 do m[i] = (i * 7919) % 1009 end table.sort(m) for i = 2, 500 do assert(m[i - 1] <= m[i]) end print(m[1], m[500])
print(pcall(table.sort, {1, "x"}), pcall(table.sort, {1, 2, 3}, 5)) local same = {} for i = 1, 100 do same[i] = 1 end table.sort(same) print(#same)
--@ metatables of lists
local log = {} local proxy = setmetatable({}, {__index = function(_, k) return k <= 3 and k * 2 or nil end, __len = function() return 3 end, __newindex = function(_, k, v) log[#log + 1] = k .. "=" .. tostring(v) end})
print(#proxy, table.concat(proxy, ","), table.unpack(proxy)) table.insert(proxy, "x") print(log[1])
--@ tables grow and shrink
local q, head = {}, 1 for i = 1, 5000 do q[#q + 1] = i if #q > 100 then table.remove(q, 1) end end print(#q, q[1], q[#q])
local st = {} for i = 1, 1000 do st[#st + 1] = i end for i = 1, 999 do st[#st] = nil end print(#st, st[1])
