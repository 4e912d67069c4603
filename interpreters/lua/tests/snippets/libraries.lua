return coroutine.create()

return coroutine.create(5)

return coroutine.resume()

return coroutine.resume(5)

local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b); local d, e = coroutine.yield(c * 2); return d + e, "end" end) print(coroutine.resume(co, 1, 2)) print(coroutine.resume(co, 10)) print(coroutine.resume(co, 3, 4)) print(coroutine.resume(co)) return coroutine.status(co)

local co = coroutine.create(function() error("oops") end) print(coroutine.resume(co)) print(coroutine.status(co)) return coroutine.resume(co)

local co = coroutine.create(function() error({}) end) return select('#', coroutine.resume(co)), coroutine.status(co)

local f = coroutine.wrap(function() error("oops") end) f()

local f = coroutine.wrap(function() error({code = 1}) end) local ok, e = pcall(f) return type(e), e.code

local f = coroutine.wrap(function() return 1 end) f() f()

local f = coroutine.wrap(function() local x = nil; x.y = 1 end) f()

return coroutine.wrap(5)

return coroutine.yield(1)

return coroutine.running()

return coroutine.isyieldable(), coroutine.status(coroutine.running())

return coroutine.wrap(function() return coroutine.isyieldable(), select(2, coroutine.running()) end)()

local co; co = coroutine.create(function() return coroutine.resume(co) end) return coroutine.resume(co)

local co; co = coroutine.create(function() return coroutine.status(co) end) return coroutine.resume(co)

local co1, co2; co1 = coroutine.create(function() return coroutine.resume(co2) end) co2 = coroutine.create(function() return coroutine.status(co1), coroutine.resume(co1) end) return coroutine.resume(co1)

local f; f = coroutine.wrap(function() return pcall(f) end) return f()

local f = coroutine.wrap(function() return pcall(function() coroutine.yield(1) error("x") end) end) print(f()) return f()

local f = coroutine.wrap(function() return select(2, pcall(pcall, function() coroutine.yield(1) error("x") end)) end) print(f()) return f()

local f = coroutine.wrap(function() local t = setmetatable({}, {__index = function(_, k) return coroutine.yield(k) end}) return t.x + t.y end) print(f()) print(f(1)) return f(2)

local f = coroutine.wrap(function() local t = setmetatable({}, {__add = function(a, b) return coroutine.yield("add") end, __lt = function() return coroutine.yield("lt") end, __eq = function() return coroutine.yield("eq") end, __concat = function() return coroutine.yield("cc") end, __len = function() return coroutine.yield("len") end, __call = function(_, x) return coroutine.yield("call" .. x) end, __newindex = function() coroutine.yield("ni") end, __unm = function() return coroutine.yield("unm") end, __close = function() coroutine.yield("close") end}) local u = setmetatable({}, getmetatable(t)) t.z = 1 do local c <close> = t end return t + 1, t < u, t == u, t .. "x", #t, t(5), -t end) local r for i = 1, 20 do local v = table.pack(f(i)) print(table.unpack(v, 1, v.n)) if v.n > 1 then break end end

local f = coroutine.wrap(function() for k, v in (function() return coroutine.yield("it") end) do print(k, v) end return "done" end) print(f()) print(f(1, 2)) return f(nil)

local f = coroutine.wrap(function() table.sort({3, 2, 1}, function(a, b) coroutine.yield("s") return a < b end) return "sorted" end) return f()

local f = coroutine.wrap(function() return (("abc"):gsub(".", function(c) return coroutine.yield(c) end)) end) return f()

local f = coroutine.wrap(function() return load(function() return coroutine.yield("x") end) end) return f()

local f = coroutine.wrap(function() return dofile("/dev/null"), xpcall(function() coroutine.yield("in xpcall") error("E") end, function(m) return m .. "!" end) end) print(f()) return f()

local f = coroutine.wrap(function() return xpcall(error, function(m) coroutine.yield(m) end, "a") end) return f()

local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co) return coroutine.close(co), coroutine.status(co), coroutine.close(co)

local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function(_, e) print("closing", e) end}) coroutine.yield() end) coroutine.resume(co) return coroutine.close(co), coroutine.status(co)

local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function(_, e) error("in close") end}) coroutine.yield() end) coroutine.resume(co) print(coroutine.close(co)) return coroutine.status(co), coroutine.close(co)

local co = coroutine.create(function() error("x") end) coroutine.resume(co) print(coroutine.close(co)) return coroutine.close(co)

coroutine.close(coroutine.running())

local co; co = coroutine.create(function() coroutine.close(co) end) return coroutine.resume(co)

local co; co = coroutine.create(function() return coroutine.wrap(function() coroutine.close(co) end)() end) return coroutine.resume(co)

return coroutine.close(5)

return coroutine.status()

return coroutine.status(5)

local co = coroutine.create(function(...) return select('#', ...), ... end) return coroutine.resume(co, nil, nil)

local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end local s = 0 for i in gen(10) do s = s + i end return s

local co = coroutine.create(function() return coroutine.yield(coroutine.yield(1)) end) print(coroutine.resume(co)) print(coroutine.resume(co, 2)) return coroutine.resume(co, 3)

local co = coroutine.create(function() local function r() return 1 + r() end return r() end) return coroutine.resume(co)

local t = {} for i = 1, 100 do t[i] = coroutine.wrap(function() local n = i while true do n = n + coroutine.yield(n) end end) t[i]() end local s = 0 for r = 1, 10 do for i = 1, 100 do s = s + t[i](r) end end return s

local co = coroutine.create(function() coroutine.yield() end) return debug.traceback(co), debug.traceback(co, "msg"), debug.traceback(co, nil), debug.traceback(co, 5)

local co = coroutine.create(function() local function inner() coroutine.yield() end inner() end) coroutine.resume(co) return debug.traceback(co), debug.traceback(co, "m", 1), debug.traceback(co, "m", 2)

local co = coroutine.create(function() local function inner() error("x") end inner() end) coroutine.resume(co) return debug.traceback(co)

local function f() return debug.traceback("hi") end local function g() local x = f() return x end return g()

return debug.traceback({}), debug.traceback(nil), debug.traceback(12)

return (debug.traceback("x", 0):gsub("\n.*", ""))

return debug.traceback("x", 100), debug.traceback("x", -1) ~= nil

return debug.getinfo(1, "S").short_src, debug.getinfo(1, "S").source, debug.getinfo(1, "S").what, debug.getinfo(1, "l").currentline

return debug.getinfo(print).what, debug.getinfo(print).short_src, debug.getinfo(print).source, debug.getinfo(print).currentline, debug.getinfo(print).linedefined, debug.getinfo(print, "u").nups, debug.getinfo(print, "u").isvararg, debug.getinfo(print, "u").nparams

local function f(a, b, ...) local i = debug.getinfo(1, "nSlutfr") return i.name, i.namewhat, i.nparams, i.isvararg, i.nups, i.istailcall, i.linedefined, i.lastlinedefined, i.func == f, i.ftransfer, i.ntransfer, i.what end local r = table.pack(f()) return table.unpack(r, 1, r.n)

local function f() local i = debug.getinfo(1, "t") return i.istailcall end return f()

local function f(a, b) local c = 3 return debug.getlocal(1, 1), debug.getlocal(1, 2), debug.getlocal(1, 3), debug.getlocal(1, 4) end return f(10, 20)

local function f(a, ...) return debug.getlocal(1, -1), debug.getlocal(1, -2), debug.getlocal(1, -3) end return f(1, "x", "y")

local function f(a, b, ...) local c end return debug.getlocal(f, 1), debug.getlocal(f, 2), debug.getlocal(f, 3), debug.getlocal(print, 1)

return debug.getlocal(100, 1)

return debug.getlocal("x", 1)

local function f() local a = 1; debug.setlocal(1, 1, 99) return a end return f()

return debug.setlocal(100, 1, 1)

local a, b = 1, 2; local function f() return a, b end return debug.getupvalue(f, 1), debug.getupvalue(f, 2), debug.getupvalue(f, 3), debug.getupvalue(f, 0), debug.getupvalue(string.gmatch("a", "a"), 1), debug.getupvalue(print, 1)

local a = 1; local function f() return a end return debug.setupvalue(f, 1, 50), f(), debug.setupvalue(f, 2, 50)

local a, b = 1, 2; local function f() return a end local function g() return b end debug.upvaluejoin(f, 1, g, 1) return f(), debug.upvalueid(f, 1) == debug.upvalueid(g, 1), debug.upvalueid(f, 2)

local function f() end debug.upvaluejoin(f, 1, f, 1)

debug.upvaluejoin(print, 1, print, 1)

return debug.upvalueid(print, 1)

return debug.getinfo(100), pcall(debug.getinfo, 1, "X")

return debug.getinfo("x")

return debug.getinfo(1, ">")

return debug.getinfo()

return debug.getinfo(-1)

return debug.getinfo(1.5)

return debug.getmetatable("").__index == string, debug.getmetatable(5), debug.setmetatable(5, {__index = function(n, k) return k end}), (5).foo, debug.setmetatable(5, nil)

debug.setmetatable(1, 5)

debug.setmetatable(nil, {__index = function() return "nilidx" end}) local r = (nil).x debug.setmetatable(nil, nil) return r

debug.setmetatable(print, {__index = {z = 1}, __add = function() return "fadd" end}) local r, s = print.z, print + 1 debug.setmetatable(print, nil) return r, s

debug.setmetatable(true, {__call = function(b, x) return b, x end, __len = function() return 9 end}) local r, s, l = true, (false)(5), #true debug.setmetatable(true, nil) return r, s, l

return debug.getuservalue(io.stdout, 1), debug.getuservalue(5, 1), debug.setuservalue(io.stdout, 5, 3)

return debug.setuservalue(5, 5)

return debug.getregistry()[2] == _G, type(debug.getregistry()[1]), debug.getregistry()._LOADED == package.loaded

return debug.gethook()

local n = 0; debug.sethook(function(e, l) n = n + 1 end, "l") local a = 1
local b = 2
debug.sethook() return n

local r = {} debug.sethook(function(e, l) r[#r + 1] = e .. ":" .. tostring(l) end, "crl") local function f() return 1 end
f()
debug.sethook() return table.concat(r, " ")

local n = 0 debug.sethook(function(e) n = n + 1 end, "", 100) for i = 1, 10000 do end debug.sethook() return n > 50

debug.sethook(print, "c") debug.sethook() return debug.gethook()

local function f() end local i = debug.getinfo(f, "L") local t = {} for k in pairs(i.activelines) do t[#t + 1] = k end return #t

local function f(a)
  local b = a
  return b
end local i = debug.getinfo(f, "L") local t = {} for k in pairs(i.activelines) do t[#t + 1] = k end table.sort(t) return table.concat(t, ","), i.linedefined

return debug.getinfo(1, "L").activelines ~= nil, debug.getinfo(print, "L").activelines

local co = coroutine.create(function(a) local b = 5 coroutine.yield() end) coroutine.resume(co, 3) return debug.getlocal(co, 1, 1), debug.getlocal(co, 1, 2), debug.getinfo(co, 1, "l").currentline, debug.getinfo(co, 0, "S").what, debug.getinfo(co, 0, "n").name, debug.getinfo(co, 5)

return os.time({year = 2020, month = 1, day = 1, hour = 12}), os.time({year = 2020, month = 14, day = -3, hour = 0}), os.date("!%Y-%m-%d %H:%M:%S", 0), os.date("!%c", 0), os.date("!%x %X %p %A %B %j %U %w %y %Z %%", 86400)

return os.time({year = 2020})

return os.time({year = "x", month = 1, day = 1})

return os.time({year = 2020, month = 1.5, day = 1})

return os.time({year = 1e100, month = 1, day = 1})

return os.time({year = 2^40, month = 1, day = 1})

return os.time({year = math.maxinteger, month = 1, day = 1})

return os.date("%E")

return os.date("%Ez", 0)

return os.date("%Q")

return os.date("%")

return os.date("!*t", 3600).hour, os.date("*t", 0).year, os.date("!*t", 0).isdst, os.date("!*t", 0).yday, os.date("!*t", 0).wday

return os.date("!%H", 1.5)

return os.date("%Y", 2^60)

return os.date("!%Ey %Od %e %D %F %g %G %h %I %M %n %R %S %t %T %u %V %W %C", 1e9 // 1)

local t = {year = 2021, month = 13, day = 32, hour = 25, min = 61, sec = 61}; os.time(t); return t.year, t.month, t.day, t.hour, t.min, t.sec, t.yday, t.wday, t.isdst

return os.difftime(10, 5), math.type(os.time()), math.type(os.clock()), os.getenv("NOPE_X"), os.tmpname() ~= nil

return os.getenv()

return os.difftime()

return os.rename("/nonexistent/a", "/nonexistent/b")

return os.remove("/nonexistent/a")

return os.execute() , os.execute("exit 3"), os.execute("true"), os.execute("kill -9 $$")

return os.setlocale(), os.setlocale("C"), os.setlocale(nil, "numeric"), os.setlocale("xx_YY"), os.setlocale("", "all") ~= nil

return os.setlocale("C", "bogus")

return io.open("/nonexistent/x")

return io.open("/tmp/x", "rz")

return io.open("/tmp/x", "")

return io.open("/tmp", "w")

return io.open()

return io.lines("/nonexistent/x")

return io.type(io.stdout), io.type(5), io.type()

return tostring(io.stdout):match("^file %("), io.stdout ~= nil, getmetatable(io.stdout).__name

local f = io.tmpfile() f:write("line1\nline2\n3.5 0x10 abc\n") f:seek("set") print(f:read()) print(f:read("L")) print(f:read("n", "n", "n")) print(f:read("l")) print(f:read("a")) print(f:read("a")) print(f:read("l")) print(f:read(0)) f:close() return tostring(f), io.type(f)

local f = io.tmpfile() f:write(1, " ", 2.5, " x") f:seek("set") return f:read("n", "n", 1, 1, 5, 5)

local f = io.tmpfile() f:write("0x1p4 -.5e1 +7 1e 99999999999999999999 nan 0x") f:seek("set") return f:read("n", "n", "n", "n")

local f = io.tmpfile() f:write("99999999999999999999 -0x10 1..2") f:seek("set") return f:read("n", "n", "n", "n")

local f = io.tmpfile() f:write("a\nb\n\nc") f:seek("set") for l in f:lines() do io.write("[", l, "]") end print() f:seek("set") for l in f:lines("L") do io.write("[", l, "]") end print() f:seek("set") for a, b in f:lines(1, 2) do print(a, b) end return f:seek("cur"), f:seek("end"), f:seek("set", 2), f:seek("cur", -1)

local f = io.tmpfile() f:read("x")

local f = io.tmpfile() f:read("*l") f:read("*x")

local f = io.tmpfile() f:close() f:read()

local f = io.tmpfile() f:close() return pcall(f.write, f, "x")

local f = io.tmpfile() return f:seek("bad")

local f = io.tmpfile() return f:seek("set", -1)

local f = io.tmpfile() return f:seek("set", "x")

local f = io.tmpfile() return f:setvbuf("bad")

local f = io.tmpfile() return f:setvbuf("full", 1024), f:setvbuf("no"), f:setvbuf("line"), f:flush() == f, f:write("x") == f

local f = io.tmpfile() return f:write({})

local f = io.tmpfile() return f:write(nil)

io.write({})

return io.read("x")

return io.stdout:seek("bad")

f = nil return io.close(f)

return io.lines("/dev/null", "x")

for l in io.lines("/dev/null") do end for l in io.lines("/dev/null", "n") do end return 1

local n = os.tmpname() local f = io.open(n, "w") f:write("hello\nworld") f:close() local r = {} for l in io.lines(n) do r[#r + 1] = l end f = io.open(n, "a+") f:write("!") f:seek("set") r[#r + 1] = f:read("a") f:close() f = io.open(n, "r+") f:write("J") f:seek("set") r[#r + 1] = f:read("l") f:close() os.remove(n) return table.concat(r, "|")

local n = os.tmpname() local f = io.open(n, "r") print(f:write("x")) f:close() f = io.open(n, "w") print(f:read("a")) f:close() os.remove(n)

local p = io.popen("echo hi; exit 3") print(p:read("a")) return p:close()

local p = io.popen("cat > /dev/null", "w") p:write("x") return p:close()

return io.popen("x", "rw")

return io.output() == io.stdout, io.input() == io.stdin

return io.input("/nonexistent/f")

return io.lines(nil, "l") ~= nil

local n = os.tmpname() local f = io.open(n, "w") f:write("a\nb\n") f:close() local it = io.lines(n) it() it() it() local r = table.pack(pcall(it)) os.remove(n) return table.unpack(r)

return io.stderr:write("")

return package.config, package.path ~= nil, type(package.cpath), type(package.preload), #package.searchers, type(package.searchpath)

return package.searchpath("a.b", "./?.lua;/x/?/y"), 1

return package.searchpath("a.b", "./?.lua", "", "x")

return package.searchpath("a-b", "?-?;?", "-", "+")

package.preload.foo = function(...) print(...) return {v = 1} end local a, b = require("foo") local c, d = require("foo") package.loaded.foo = nil package.preload.foo = nil return a.v, b, c == a, d

package.preload.foo2 = function(...) end local a, b = require("foo2") package.loaded.foo2 = nil return a, b

package.preload.foo3 = function(...) error("in module") end require("foo3")

package.searchers = 5 local ok, e = pcall(require, "zz") package.searchers = {} return ok, e

require()

require({})
