--@ varargs
local function f(...) local a, b = ... return select("#", ...), a, b, ... end print(f()) print(f(1)) print(f(1, nil, 3)) print((f(1, 2, 3)))
local function g(...) local t = {...} return #t, ... end print(g(1, 2, 3)) print(select(-1, 1, 2, 3), select(2, "a", "b"), pcall(select, 0)) local function h(a, ...) return a, select("#", ...) end print(h(1, 2, 3), h())
print(table.pack(...).n, (function(...) return select("#", ...) end)(nil, nil))
--@ closures share variables
local function counter() local n = 0 return function() n = n + 1 return n end, function() return n end end local inc, get = counter() inc() inc() print(get()) local fs = {} for i = 1, 3 do fs[i] = function() i = i + 1 return i end end print(fs[1](), fs[1](), fs[2](), fs[3]())
local k = {} for j = 1, 3 do local x = j * 10 k[j] = function() x = x + 1 return x end end print(k[1](), k[1](), k[2]()) local w, n = {}, 0 while n < 3 do n = n + 1 local m = n w[n] = function() return m end end print(w[1](), w[3]())
--@ recursion and mutual recursion
local function fact(n) return n <= 1 and 1 or n * fact(n - 1) end print(fact(20), fact(25)) local even, odd function even(n) if n == 0 then return true end return odd(n - 1) end function odd(n) if n == 0 then return false end return even(n - 1) end print(even(10), odd(7), even(100001))
--@ tail calls do not grow the stack
local function loop(n, acc) if n == 0 then return acc end return loop(n - 1, acc + 1) end print(loop(1000000, 0)) local function v(n, ...) if n == 0 then return select("#", ...) end return v(n - 1, ...) end print(v(1000, 1, 2, 3))
--@ methods
local obj = {n = 0} function obj:inc(k) self.n = self.n + (k or 1) return self end obj:inc():inc(5) print(obj.n) local a = {b = {c = {}}} function a.b.c.f(x) return x * 2 end function a.b.c:g() return self == a.b.c end print(a.b.c.f(4), a.b.c:g())
--@ goto
for i = 1, 3 do for j = 1, 3 do if j == 2 then goto continue end io.write(i, ":", j, " ") ::continue:: end end print() do local i = 1 ::top:: if i <= 3 then io.write(i, " ") i = i + 1 goto top end end print() goto e do print("skipped") end ::e:: print("end")
local fs = {} do local i = 1 ::again:: local x = i fs[i] = function() return x end i = i + 1 if i <= 3 then goto again end end print(fs[1](), fs[2](), fs[3]())
--@ nested breaks
for i = 1, 3 do while true do if i == 2 then break end io.write(i, " ") break end end repeat local done = true until done print() for i = 1, 10 do if i > 3 then break end io.write(i, " ") end print() local i = 0 repeat local x = i i = i + 1 until x >= 3 print(i)
--@ multiple assignment
local a, b, c = 1, 2 print(a, b, c) a, b = b, a print(a, b) local t = {1, 2} local i = 1 i, t[i] = i + 1, 20 print(i, t[1], t[2]) local x, y = (function() return 1, 2, 3 end)() print(x, y) local p, q, r, s = 0, (function() return 1, 2 end)() print(p, q, r, s)
do local a = {} local b = a a.x, a = 1, nil print(b.x, a) end local function mr() return 1, 2 end local u = {mr(), mr()} print(#u) local z = {k = mr()} print(z.k)
--@ const and close
local x <const> = 5 print(x) print(load("local x <const> = 1 x = 2")) print(load("local x <close> = nil; x = 1")) print(load("local x <foo> = 1")) print(load("local a <close>, b <close> = 1, 2"))
do local function mk(n) return setmetatable({}, {__close = function(_, e) print("close", n, e) end}) end do local a <close> = mk(1) local b <close> = mk(2) print("body") end print(pcall(function() local a <close> = mk(3) error("err", 0) end)) local function f() local a <close> = mk(4) return "ret" end print(f()) for i = 1, 2 do local c <close> = mk("l" .. i) if i == 1 then goto cont end ::cont:: end
for k in (function() return nil end), nil, nil, mk("for") do end while true do local w <close> = mk("brk") break end end print(pcall(function() local bad <close> = 42 end))
print(pcall(function() local a <close> = setmetatable({}, {__close = function() error("in close", 0) end}) error("first", 0) end))
--@ load
print(load("return 1 + 1")()) print(load("syntax error here")) print(type(load(function() return nil end))) local parts = {"return ", "4", "2"} local i = 0 print(load(function() i = i + 1 return parts[i] end)()) print(pcall(load, 5)) local env = {y = 7} print(load("return y", "chunk", "t", env)()) print(load("x = 1; return x", "c", "t", env)(), env.x, x) print(load("return ...", "c")(1, 2)) print(load("return 1", "=name", "b"))
print(pcall(load("error('msg')", "@file.lua"))) print(pcall(load("error('msg')", "=custom"))) print(pcall(load("error('msg')", "some code\nmore")))
--@ environments
local function f() local _ENV = {x = 5} return x end print(f()) local _ENV = {print = print, y = 3} print(y, z) z = 4 print(_ENV.z)
--@ evaluation order
local log = {} local function l(x) log[#log + 1] = x return x end local t = {} t[l("a")], t[l("b")] = l("c"), l("d") l(1) local _ = l("x") .. l("y"), l("z") print(table.concat(log, " "), t.a, t.b)
--@ comparisons chain into values
local a, b = 1, 2 local x = a < b local y = a > b and "gt" or "le" local z = not (a == b) print(x, y, z, a ~= b, (a < b) == true, a == 1 and b == 2, a == 1 and nil, nil == false) local n = nil print(n == nil and "nil" or "not", (n or 5) + 1) local s = "x" print(s == "x", s ~= "x", 3 > 2, 3 >= 3, 2.5 < 3, -1 < 0, 0 > -1, 10 >= 10.0)
