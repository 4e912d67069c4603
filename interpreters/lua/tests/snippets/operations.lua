local mt = {} for _, n in ipairs{"add", "sub", "mul", "div", "mod", "pow", "unm", "idiv", "band", "bor", "bxor", "shl", "shr", "bnot", "concat"} do mt["__" .. n] = function(a, b) return n .. ":" .. (type(a)) .. ":" .. type(b) end end local x = setmetatable({}, mt) return x + 1, 1 - x, x * "a", x / x, x % 2, 2 ^ x, -x, x // 1, x & 1, 1 | x, x ~ 1.5, x << "q", {} >> x, ~x, x .. 1, "a" .. x, 1 .. x, x .. x

local x = setmetatable({}, {__lt = function(a, b) return 1 end, __le = function(a, b) return nil end, __eq = function() return "yes" end}) local y = setmetatable({}, getmetatable(x)) return x < 1, 1 < x, x > "a", x <= y, x >= 1, x == y, x ~= y, x == 1, x == x, rawequal(x, y)

local x = setmetatable({}, {__concat = function(a, b) return (type(a) == "table" and "T" or a) .. "+" .. (type(b) == "table" and "T" or b) end}) return "a" .. x .. "b", 1 .. 2 .. x, x .. "a" .. "b" .. x

return setmetatable({}, {__call = function(self, ...) return select('#', ...), ... end})(1, nil)

local a = setmetatable({}, {__call = setmetatable({}, {__call = function(...) return select('#', ...) end})}) return a(1, 2)

local t = setmetatable({}, {__call = 5}) t()

local t = {} t()

local t = {x = {}} t.x()

local t = {x = {}} t.x.y()

local t = {x = {}} t:x()

local t = {[1] = 5} t[1]()

local t = {} local k = "key" t[k]()

(1)()

("x")()

(nil)()

(function() end)()()

local t = setmetatable({}, {__index = {a = 1}}) return t.a, t.b, rawget(t, "a")

local t = setmetatable({}, {__index = setmetatable({}, {__index = setmetatable({}, {__index = {deep = "d"}})})}) return t.deep, t.no

local t = {} setmetatable(t, {__index = t}) return t.x

local a, b = {}, {} setmetatable(a, {__index = b}) setmetatable(b, {__index = a}) return a.x

local a, b = {}, {} setmetatable(a, {__newindex = b}) setmetatable(b, {__newindex = a}) a.x = 1

local t = setmetatable({}, {__index = 5}) return t.x

local t = setmetatable({}, {__index = "str"}) return t.len, t.x

local t = setmetatable({}, {__newindex = 5}) t.x = 1

local log = {} local t = setmetatable({}, {__newindex = function(t, k, v) log[#log + 1] = k .. "=" .. tostring(v) rawset(t, k, v) end}) t.a = 1 t.a = 2 t.b = nil t.b = 3 return table.concat(log, ",")

local s = {} local t = setmetatable({}, {__newindex = s}) t.a = 1 return rawget(t, "a"), s.a

local t = setmetatable({1, 2, 3}, {__len = function() return 42 end}) return #t, rawlen(t)

local t = setmetatable({}, {__unm = function(a, b) return rawequal(a, b) end, __bnot = function(a, b) return rawequal(a, b) end, __len = function(a, b) return rawequal(a, b) end}) return -t, ~t, #t

local t = setmetatable({}, {__eq = function() return true end}) return t == {}, {} == t, t ~= {}, t == 1

local t = setmetatable({}, {__lt = function() error("cmp") end}) return t < t

local t = setmetatable({}, {__le = function() return false end}) return t <= t, t >= 1

local t = setmetatable({}, {__lt = function() return true end}) return t <= t

local t = setmetatable({}, {__mode = "k"}) return 1

local t = setmetatable({}, {__gc = true}) return 1

local done = 0 for i = 1, 1000 do local t = setmetatable({}, {__gc = function() done = done + 1 end}) end collectgarbage() collectgarbage() return done > 900, done <= 1000

local t = setmetatable({}, {__mode = "k"}) for i = 1, 1000 do t[{}] = i end t[1] = {} collectgarbage() local n = 0 for _ in pairs(t) do n = n + 1 end return n >= 1, n < 100, type(t[1])

local t = setmetatable({}, {__mode = "v"}) for i = 1, 1000 do t[i] = {} end t[1001] = "s" t[1002] = 5 t.x = {} collectgarbage() local n = 0 for _ in pairs(t) do n = n + 1 end return n >= 2, n < 100, t[1001], t[1002]

local t = setmetatable({}, {__mode = "k"}) local k = {} t[k] = {k} for i = 1, 1000 do t[{}] = i end collectgarbage() local n = 0 for _ in pairs(t) do n = n + 1 end return n >= 1, n < 100, t[k][1] == k

setmetatable({}, {__gc = function() error("in gc") end}) collectgarbage() return 1

local t = setmetatable({}, {__index = function(t, k) return k end}) return t[1], t[1.0], t[1.5], t[true], t.x, t[t] == t

local t = {} t[1.0] = "a" t[2^53] = "b" return t[1], next(t), t[2^53 | 0], math.type(next(t))

local t = {} t[1] = 1 t[2] = 2 t[4] = 4 return #t == 2 or #t == 4

local t = {n = 1, [1] = "a", [2] = "b"} t[1] = nil return t[2], next(t) ~= nil

local t = {10, 20, 30, nil} return #t

local t = {10, 20, 30, nil, 50} return #t

local t = {nil, nil, 3} return #t

local t = {} for i = 1, 10 do t[i] = i end for i = 10, 6, -1 do t[i] = nil end return #t

local t = {} for i = 10, 1, -1 do t[i] = i end return #t

local t = {1, 2, 3} for k in pairs(t) do t[k] = nil end return next(t)

local t = {a = 1, b = 2, c = 3} local n = 0 for k, v in pairs(t) do t[k] = v * 2 n = n + v end return n, t.a + t.b + t.c

local t = {a = 1} for k in pairs(t) do t[k] = nil t.zzz = nil end return next(t)

local t = {} t[1] = 1 t.x = 2 local k, v = next(t, 1) return k, v, next(t, "x")

local t = {} return next(t, "nokey")

local t = setmetatable({}, {__metatable = 5}) return getmetatable(t)

return pcall(setmetatable, setmetatable({}, {__metatable = false}), {})

local mt = {__name = "MyType"} return pcall(function() return setmetatable({}, mt) + 1 end), pcall(function() return #setmetatable({}, mt) < setmetatable({}, mt) end), pcall(function() return setmetatable({}, mt) < {} end), pcall(string.rep, setmetatable({}, mt)), pcall(ipairs, nil), pcall(function() setmetatable({}, mt)() end), pcall(function() return setmetatable({}, mt) .. "x" end)

local a = {} a.b = {} return a.b.c.d

local a return a.b

local a return a[1]

local a return a[a]

local a return a["x y"]

local a = {} return a.b[1].c

local a = {} local k = "z" return a[k].c

local a = {} return a[1].c

local a = {} return a[1.5].c

local a = {} return a[true].c

local function f() return nil end return f().x

local function f() return nil end f().x = 1

local function f() return nil end f()()

local t = {f = function() end} return t.f().x

local up local function g() return up.x end g()

local up local function g() up.x = 1 end g()

local up local function g() up() end g()

local up = {} local function g() up.f() end g()

local up = {} local function g() up:f() end g()

local up = {} local function g() return up.a.b end g()

local up local function g() return up + 1 end g()

local up = {} local function g() return up.x + 1 end g()

local a = "x" return a + 1

local a = {} return 1 + a

local a, b = {}, {} return a + b

local a = {} return a.x + 1

local a = {} return 1 + a.x

local a = {} return a.x .. "s"

local a = {} return "s" .. a

local a = {} return "s" .. a .. "t"

return "s" .. (nil)

return x + 1

return 1 + x

return -x

return #x

return ~x

return x .. "a"

return x < 1

return 2^53 & 1.5

local a = 1.5 return a & 1

local a = 1.5 return 1 & a

local t = {x = 1.5} return t.x | 1

return 1.5 // 0, 1 // 0.0, 1.5 % 0 ~= 1.5 % 0

local a, b = 1, 0 return a // b

local a, b = 1, 0 return a % b

local t = {} t.x.y.z = 1

local t = {} t[1][2] = 3

local t = {} local i = 1 t[i][i] = 3

string.x.y = 1

math.floor.x = 1

return print.x

return (print).x.y

return #print

return -print

return print < print

return print < 1

return true < false

return {} <= 1

return nil > 1

return "a" < 1

return 1 <= "a"

return -"abc"

return -"2", -"0x10", -"1e1", - " 5 "

return "abc" | 1

return "1.5" | 1

return 1 | {}

return "10" | {}

return 2^63 | 1

return "9223372036854775808" | 1

return 1 < 2 < 3

for i = 1, 10 do local t = nil; t.x = i end

local function f(x) return x.y.z end f({})

local function f(...) local a = ... return a.b end f()

local function f(...) return (...).b end f()

local s <const> = nil return s.x

local s <const> = "k" local t = {} return t[s].x

local t <const> = {} return t.x.y

return _ENV.foo.bar

local _ENV = {} return x.y

local _ENV = {} x()

local _ENV = nil x = 1

local _ENV = 5 return x

local function f(_ENV) return x.y end f({})

local a <close> = setmetatable({}, {__close = function(a, b) b.x = 1 end}) 

local t = setmetatable({}, {__index = function(t, k) return nil + 1 end}) return t.x

local t = setmetatable({}, {__index = function(t, k) error("deep", 2) end}) return t.x

local t = setmetatable({}, {__add = function(t, k) error("deep", 2) end}) return t + 1

local t = setmetatable({}, {__add = function(t, k) local i = debug.getinfo(1, "n") return i.name .. i.namewhat end, __index = function(t, k) local i = debug.getinfo(1, "n") return i.name .. i.namewhat end, __lt = function(t, k) local i = debug.getinfo(1, "n") print(i.name .. i.namewhat) end, __concat = function(t, k) local i = debug.getinfo(1, "n") return i.name .. i.namewhat end, __close = function(t, k) local i = debug.getinfo(1, "n") print(i.name .. i.namewhat) end, __call = function(t, k) local i = debug.getinfo(1, "n") return tostring(i.name) .. i.namewhat end}) do local c <close> = t end print(t < t) local r = t() return t + 1, t.x, t .. 1, r

table.foo.bar()

string.format("%d", "x")

("x"):format({}):bad()

string.rep("x", -1):foo()

io.write(nil)

io.stdout.write("x")

io.stdout:write({})

io.stdout.write(5, "x")

string.sub()

local s = string.sub; s()

local t = {s = string.sub} t.s()

local t = {s = string.sub} t:s()

pcall(string.sub)

return pcall(string.sub)

local f = setmetatable({}, {__call = string.rep}) f()

local f = setmetatable({}, {__index = string.rep}) return f.x

return table.concat({1}, nil, nil, nil, 5), table.concat({1, 2}, nil)

return ("x"):rep(2, 5), ("x"):rep("2")

coroutine.wrap(function() string.rep() end)()

return #coroutine.running

goto done; do print("skipped") end ::done:: return "done"

do local i = 1 ::a:: if i < 5 then i = i + 1 goto a end return i end

for i = 1, 3 do for j = 1, 3 do if j == 2 then goto continue end io.write(i, j, " ") ::continue:: end end print()

local x = 5; do local x = x + 1; x = x + 1 end return x

local function f(a, a) return a end return f(1, 2)

local a, a = 1, 2 return a

local function f(...) local x = {...} return select('#', ...), #x end return f(nil, nil, 3)

local t = {f = function(self, x) return self.v + x end, v = 10} return t:f(5), t.f(t, 6)

function a_b() return 1 end local r = a_b() a_b = nil return r

local t = {} function t.a() return 1 end function t:b() return self == t end return t.a(), t:b()

local t = {a = {b = {}}} function t.a.b.c(x) return x end function t.a.b:d(x) return self == t.a.b, x end return t.a.b.c(3), t.a.b:d(4)

return (("a"):rep(3)):upper():lower():len()

return #{1, 2, nil, 4} >= 2, #"", #{n = 5}

return 0x7fffffffffffffff + 1 == math.mininteger, 5 // 0.3, -5 // 0.3, 5 % -0.3, -5 % math.huge, 5 % -math.huge, 1e308 + 1e308, -(0/0) ~= -(0/0)

return 3 | 0.0, 2^31 | 0, "0x7fffffffffffffff" + 0, "0xffffffffffffffffff" + 0, 1e15 | 0

return 5 // 2, 5.0 // 2, -5 // 2, 5 // -2, -5 // -2, 5 % 2, -5 % 2, 5 % -2, -5 % -2, 5.5 // 1, -5.5 // 1, 0.0 // 1, -0.0 // 1, 0 // -1

return 7 // 0.0, -7 // 0.0, 0.0 / 0 ~= 0.0 / 0, 3 % math.huge, -3 % math.huge, 3 % -math.huge

return 2^0.5, 2^-1, (-2)^2, -2^2, (-8)^(1/3) ~= 0, 0^0, 10 / 2, 3 / 2, 1 / 3

return "a" == "a", "a" ~= "b", 1 == 1.0, "1" == 1, nil == false, {} == {}, print == print

return 1 and 2, nil and 1, false or nil, nil or false, 1 or error("no"), false and error("no"), not 1, not nil == true

local a = nil; local b = a and a.x or "default" return b

local function f() return 1, 2, 3 end local t = {f(), f(), x = f(), (f())} return #t, t.x

local a <const>, b = 1, 2 b = b + a return b

local t = {} t[1], t[2], t[3] = (function() return 1, 2 end)() return t[1], t[2], t[3]

while true do if true then break end end repeat local z = 1 until z == 1 return "ok"

return (function(a, b, c) return a, b, c end)(1, (function() return 2, 3 end)())

return tostring(1e15), tostring(1e14), 1e15 == 10^15, 123456.789e3, 2^24, 100000000000000, 1e5, 1e-5, 123e-7

return 1e15 // 1, 7.0, -7.25, 1e300 * 1e10, 2^1023 * 2, 5 // 1.0

return math.maxinteger * 2, math.mininteger - 1, math.maxinteger * math.maxinteger, math.mininteger // 1, -math.mininteger, math.abs(math.mininteger)

return 1 < 1.5, 1 <= 1.0, math.maxinteger < 1e19, math.mininteger > -1e19, 2^63 > math.maxinteger, -2^63 >= math.mininteger, (2^53 | 0) + 1 < 2^53 + 2.0
