return "\a\b\f\n\r\t\v\\\"\'\z
   x", '\x41\u{48}\u{7FFFFFFF}\065\10'

return "\q"

return "\x4"

return "\xZZ"

return "\300"

return "\u{}"

return "\u{110000000}"

return "\u{41"

return "\u41"

return 'abc

return "abc
def"

return [[
first newline skipped]], [==[a]]b]=]c]==]

return [[unfinished

return [=x

return --[[ long
comment]] 5

return --[==[ x ]] ]==] 6

--[[ unfinished comment

return 0x, 1

return 0xg

return 1e

return 1e+

return 0x1p

return 3x

return 3..2

return 0xA.8p1, 0x.1, 0x1., 0xA, 0Xa, 0x1P+4, 0x1p-4

return 1e308*10, -1e308*10, 1e-400, 5e-324

return 9223372036854775807, 9223372036854775808, -9223372036854775808, 0xffffffffffffffff, 0x1ffffffffffffffff

return 1 .. 2

return 08, 1., .5, 3.14e2, 0e12, .e1

return 3.14E+2, 31.4e1, 0.31416E1, 34e1

x = }

x = = 1

for

local function

x = @

x = $y

x = `a`

x = a!b

goto = 1

local and = 1

return "a\
b"

return "\
\r\n", '\'"'

return "abc\0def", #"abc\0def"

a.b:c = 1

f() = 1

(a) = 1

a, f() = 1, 2

local x <const> = 1; x = 2

local x <close> = 1; x = 2

local x <foo> = 1

local x <const>, y <close>, z <close> = 1

goto l1

do goto l1 end; local a; ::l1:: print(a)

goto l1; local a; ::l1:: ; print(1)

goto l1; local a; ::l1:: ; 

do goto l1; local a; ::l1:: end return 1

::l1:: ::l1::

::l1:: do ::l1:: end

break

while true do break break end return 1

repeat local x = 1; if x then goto cont end; local y = 2; ::cont:: until y

repeat local x; if x then goto cont end; local y; ::cont:: end until true

return ...

function f() return ... end

for i = 1 do end

for i = 1, 2, 3, 4 do end

for a.b = 1, 2 do end

for a, b = 1, 2 do end

for a in do end

if x then else elseif y then end

local x = function end

x = {1, 2

x = {1 2}

x = f(1

x = (1

x = a[1

x = a.1

x = a.

x:y

x:y = 2

return return

return 1,

return 1; return 2

return; 

;;;; return 3;

do return end print(1)

local t <const> = {}; t.x = 1; return t.x

local function f() end f = 1

local x <const> = 5; local function f() x = 1 end

local x <const> = 5; local function f() return function() x = 1 end end

a.b.c:d "x" {1} [[y]] = 1

return f "x" "y"

return ("x"):rep(3), #"x" .. 1, -2^2, not nil == true, 2^3^2, 1 .. 2 .. 3

return 1 < 2 == true, "a" .. "b" == "ab", 1 + 2 << 1, 1 << 2 + 1, 5 & 3 | 4 ~ 1, ~0, - - 2, not not nil

return 2^-3, -3 % 5, -3.5 % 2, 5 // -2, 5.0 // -2, 1//0.0, -1//0.0, 0/0 ~= 0/0

return 1//0

return 1%0

return 1%0.0

return math.mininteger // -1, math.mininteger % -1, math.mininteger * -1, math.maxinteger + 1

return 1 & 1.5

return 1 & "1", "3" | 4, "0x10" & 0xff, "1.0" & 1

return 1 & "a"

return 1 & "1.5"

return 1 & 2^63

return 1 << 64, 1 << 63, 1 << -1, 1 >> -63, -1 >> 1, 1 << 65, 1 >> 65, 2^53 | 0

return "10" + 1, "0x10" + 1, "1e1" + 0, " 10 " + 0, "10" // "3", "7" % 2, -"2", - "0x7fffffffffffffff", "9223372036854775808" + 0

return "abc" + 1

return {} + 1

return 1 + nil

return -{}

return #5

return nil .. "x"

return 1 < "2"

return {} < {}

return nil < 1

return "a" < "b", "a" < "B", "" < "a", "a\0b" < "a\0c", "Z" < "a"

return 1 == 1.0, "1" == 1, 0 == -0.0, 1/0 == 1/-0.0, math.maxinteger + 0.0 == math.maxinteger, math.maxinteger < math.maxinteger + 0.0, 2^53 == 2^53 + 1

return math.maxinteger < 2^63, math.maxinteger <= 2^63, math.mininteger <= -2^63, math.mininteger < -2^63, 1 < 0/0, 1 > 0/0, math.maxinteger > 0/0

local a = {}; a.b.c = 1

local a = {}; a.b.c.d = 1

local a = {}; return a.b.c

local a = {}; a.f()

local a = {}; a:f()

local a = {}; a.b:f()

return undefinedglobal.x

undefinedglobal()

undefinedglobal.x = 1

local s = "x"; return s.y.z

local s = "x"; s.y = 1

return ("x").y.z

return (1).x

local t = {} t[nil] = 1

local t = {} t[0/0] = 1

local t = {} return t[nil], t[0/0]

return {f = 1}.f

return math.foo.bar

return math.foo()

string.rep()

("x"):rep()

("x"):bad()

("x"):rep({})

local t = setmetatable({}, {__index = function(t, k) return k .. "!" end}); return t.x, t[1]

local t = setmetatable({}, {__index = function(t, k) error("idx " .. k) end}); return t.x

for i = 1, 10, 0 do end

for i = "a", 10 do end

for i = 1, {} do end

for i = 1, 2, "x" do end

for i = 1.5, "3" do end

for i = math.maxinteger - 1, math.maxinteger do print(i) end

for i = math.mininteger, math.mininteger + 1 do print(i) end

for i = math.mininteger + 1, math.mininteger, -1 do print(i) end

for i = 1, math.huge do if i > 3 then break end print(i) end

for i = 1, 3.9 do print(i) end

for i = 3, 1.1, -1 do print(i) end

for i = 1, -math.huge, -1 do if i < -2 then break end print(i) end

for i = 1.0, 3 do print(i) end

for i = 1, 3, 0.5 do print(i) end

for i = 1, 0/0 do print(i) end

for i = 0.1, 0.35, 0.1 do print(i) end

for i = 3, 1 do print(i) end

for i = math.maxinteger, math.maxinteger + 1.0 do print(i) end

for i = 1, 3 do local j = i; i = 10; print(i, j) end

for k, v in 5 do end

for k, v in nil do end

for k, v in pairs() do end

for k, v in pairs(nil) do end

for k, v in {} do end

for k, v in next, nil do end

for i, v in ipairs({1, 2, nil, 4}) do print(i, v) end

for i, v in ipairs(setmetatable({}, {__index = function(t, i) if i < 4 then return i * i end end})) do print(i, v) end

for k, v in pairs(setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, 2 end end, t, nil end})) do print(k, v) end

for a, b, c, d in function(s, c) if c < 3 then return c + 1, s end end, "st", 0 do print(a, b, c, d) end

for a, b in function() return nil end, nil, nil, setmetatable({}, {__close = function(o, e) print("closed", e) end}) do end

for a, b in function(s, c) return 1 end, nil, nil, setmetatable({}, {__close = function(o, e) print("closed", e) end}) do break end

for a, b in function(s, c) return 1 end, nil, nil, setmetatable({}, {__close = function(o, e) print("closed", e) end}) do error("x") end

for a, b in function(s, c) return 1 end, nil, nil, {} do break end

for a, b in function(s, c) return 1 end, nil, nil, 42 do break end

local x <close> = nil; local y <close> = false; return 1

local x <close> = {}

local x <close> = 42

local mt = {__close = function(o, e) print(o.n, e) end}; local a <close> = setmetatable({n = 1}, mt); local b <close> = setmetatable({n = 2}, mt); return "r"

local mt = {__close = function(o, e) print(o.n, e) error("c" .. o.n, 0) end}; local a <close> = setmetatable({n = 1}, mt); local b <close> = setmetatable({n = 2}, mt); error("orig", 0)

local mt = {__close = function(o, e) print(o.n, e) error("c" .. o.n) end}; local a <close> = setmetatable({n = 1}, mt); local b <close> = setmetatable({n = 2}, mt); return 1

local a <close> = setmetatable({}, {__close = 5})

local m = {__close = print}; local a <close> = setmetatable({}, m); m.__close = nil; 

local m = {__close = print}; local a <close> = setmetatable({}, m); m.__close = 7

return (function(...) return select('#', ...) end)(nil, nil)

return (function(...) local a, b = ... return a, b end)(1)

return (function(a, ...) return ... end)(1, 2, 3), (function(...) return ... end)(4, 5)

return ((function() return 1, 2 end)())

return {(function() return 1, 2, 3 end)(), (function() return 1, 2, 3 end)()}[4]

return #{(function() return 1, 2, 3 end)(), (function() return 1, 2, 3 end)()}, #{n = 1, 2, 3, [10] = 4}, #{[1] = 5, 6}, ({[1] = 5, 6})[1]

local a, b, c = (function() return 1, 2 end)(); return a, b, c

local a = {}; local i = 1; i, a[i] = i + 1, 20; return i, a[1], a[2]

local x, y = 1, 2; x, y = y, x; return x, y

local t = {1, 2}; local i = 1; t[i], t[i + 1], i = t[i + 1], t[i], 5; return t[1], t[2], i

do local t = {}; for i = 1, 3 do t[i] = function() i = i + 1; return i end end; return t[1](), t[1](), t[2](), t[3]() end

local i = 1; local t = {}; while i <= 3 do local j = i; t[i] = function() j = j + 1 return j end; i = i + 1 end return t[1](), t[1](), t[2]()

local t = {}; do local k = 1; ::top:: local x = k; t[k] = function() x = x + 10 return x end; k = k + 1; if k <= 3 then goto top end end return t[1](), t[2](), t[1]()

local function f(n) if n == 0 then return "done" end return f(n - 1) end return f(100000)

local function f() return f() + 1 end return pcall(f)

local function f(n) return n == 0 and 0 or 1 + f(n - 1) end return f(10000)

return select(-1, 1, 2, 3), select(2, "a", "b", "c")

return select(0)

return select(-5, 1)

return select('x')

return select('#'), select(5, 1, 2)

local function f(a, b, ...) local arg = {...}; return #arg, a, b end return f(1, 2, 3, 4, 5)

return table.unpack({1, 2, 3}, -1, 1)

return (table.unpack({1, 2, 3}))

return type(table.unpack({}, 1, 0))

return type()

return type(nil), type(type), type(2), type("x"), type({}), type(coroutine.create(print)), type(io.stdout)

local function f() error({code = 5}) end local ok, e = pcall(f) return ok, type(e), e.code

error()

error(nil)

error("msg", 0)

error("msg", 1)

error("msg", 2)

error("msg", 3)

local function f() error("lvl2", 2) end local function g() f() end g()

error(42)

error(setmetatable({}, {__tostring = function() return "custom" end}))

return pcall(error)

return pcall()

return xpcall()

return xpcall(print)

return xpcall(error, function(m) return "H:" .. tostring(m) end, "e", 0)

return xpcall(function(...) return select('#', ...), ... end, print, 1, nil, 3)

return xpcall(error, error)

return xpcall(function() error("a") end, function(m) error("b") end)

return xpcall(function() local x = nil; x() end, function(m) return debug.traceback(m, 1) ~= nil and m end)

return pcall(pcall, error, "x")

return pcall(string.rep)

return assert(1, 2, 3)

return assert(nil)

return assert(false, "msg")

return assert(nil, {1})

return assert()

return assert(false, 12)

return rawequal("a", "a"), rawequal({}, {}), rawlen({1, 2}), rawlen("abc"), rawget({5}, 1)

return rawlen(5)

return rawget(1, 2)

return rawset({}, nil, 1)

return rawset({}, 0/0, 1)

return rawset(1, 2, 3)

return rawequal(1)

return getmetatable("").__index == string, getmetatable("").__name

return setmetatable(1, {})

return setmetatable({}, 1)

return setmetatable({})

return setmetatable(setmetatable({}, {__metatable = "locked"}), {})

return getmetatable(setmetatable({}, {__metatable = "locked"}))

return tostring(setmetatable({}, {__name = "My"})), tostring(setmetatable({}, {__tostring = function() return "ts" end}))

return tostring(setmetatable({}, {__tostring = function() return 5 end}))

return tostring()

return tostring(nil), tostring(true), tostring(-0.0), tostring(1e15), tostring(1e16), tostring(2^53), tostring(1e100), tostring(0.1), tostring(1/3), tostring(3.0), tostring(-1e15)

return tostring(1/0), tostring(-1/0), tostring(0/0) == tostring(0/0), tostring(math.pi), 1e14, 123456789012345.0

return tonumber("0x10"), tonumber("  12  "), tonumber("1e1"), tonumber("abc"), tonumber(""), tonumber("0x"), tonumber("1 2"), tonumber("1e"), tonumber("0x1p4"), tonumber(" 0x1.8p1 "), tonumber("inf"), tonumber("nan")

return tonumber("10", 2), tonumber("zz", 36), tonumber("ff", 16), tonumber("8", 8), tonumber("-ff", 16), tonumber("  -7  ", 8), tonumber("1.0", 10), tonumber("", 10), tonumber("7fffffffffffffff", 16), tonumber("ffffffffffffffff", 16), tonumber("1ffffffffffffffff", 16)

return tonumber(10, 2)

return tonumber("10", 1)

return tonumber("10", 37)

return tonumber()

return tonumber({}), tonumber(nil), tonumber(5), tonumber(5.5), tonumber("1\0")

return tonumber("1e400"), tonumber("-0"), tonumber("- 1"), tonumber("+1"), tonumber("--1"), tonumber("0b1"), tonumber("1_000")

return next({}), next({10}), next({10}, 1)

return next({}, 1)

return next({}, nil)

return next()

return ipairs()

return ipairs(nil)

return load("x =")

return load("return 1", "=name"), load("x = = 1", "=name")

return load("x = = 1", "@file"), load("x = = 1", "some source")

return load("x = = 1 -- " .. ("y"):rep(100)), load("\n\nx = = 1"), load("x = = 1", "@" .. ("y"):rep(100)), load("x = = 1", "=" .. ("y"):rep(100))

return load(function() return nil end)


return load(function() error("reader") end)

return load(function() return {} end)

local n = 0; return load(function() n = n + 1; return ({"return ", "1", "+2"})[n] end)()

return load("return x", "c", "t", {x = 5})()

return load("return 1", "c", "b")

return load(string.dump(function() return 1 end), "c", "t")

return load(string.dump(function() return 77 end), "c", "b")()

return load("return 1", "c", "x")

return load(5)

return load()

return load("return ...", "c")(1, 2)

return dofile("/nonexistent/x")

return loadfile("/nonexistent/x")

return loadfile("/nonexistent/x", "t", {})

return collectgarbage("bogus")

return collectgarbage("incremental"), collectgarbage("generational"), collectgarbage("incremental")

return _VERSION, _G._G == _G

warn("@off") warn("x") return 1

warn()

warn(1, {})

return print(setmetatable({}, {__tostring = function() return {} end}))

return #arg, arg[0]
