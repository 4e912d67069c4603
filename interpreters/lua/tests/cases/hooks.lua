--@ lines
local function lines(src) local out = {} local f = load(src) debug.sethook(function(e, l) out[#out + 1] = l end, "l") f() debug.sethook() return table.concat(out, " ") end
print(lines("if\nmath.sin(1)\nthen\n a=1\nelse\n a=2\nend\n"))
print(lines("\na=1\nrepeat\n a=a+1\nuntil a==3\n"))
print(lines("a=1\nwhile a<=3 do\n a=a+1\nend\n"))
print(lines("for i=1,3 do\n a=i\nend\n"))
print(lines("for i,v in pairs{'a','b'} do\n a=tostring(i) .. v\nend\n"))
print(lines("for i=1,4 do a=1 end\n"))
print(lines("local function f()\n return 1\nend\nlocal x = f()\nx = f() + f()\nreturn x\n"))
print(lines("local a = 1; local b = 2\n\n\nlocal c = a + b"))
print(lines("goto l1\ndo local x = 1 end\n::l1::\n do end\nx = 2"))
--@ calls, and what gethook says
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
local ev = {} local function rec(e, l) local i = debug.getinfo(2, "nSl") ev[#ev + 1] = e .. ":" .. tostring(i.name) .. ":" .. i.what .. ":" .. tostring(l) .. ":" .. i.currentline end
local function g(x) return x end local function f(a) local b = g(a) return g(b) end
debug.sethook(rec, "cr") f(1) math.sin(1) debug.sethook() for i, e in ipairs(ev) do print(e) end
print(debug.gethook()) local function nop() end debug.sethook(nop, "crl", 100) local h, m, c = debug.gethook() print(h == nop, m, c) debug.sethook(nop, "", 5) print(select(2, debug.gethook())) debug.sethook(nop, "") print(debug.gethook()) debug.sethook() print(debug.gethook()) print(pcall(debug.sethook, 1, "c")) print(pcall(debug.sethook, nop)) print(pcall(debug.sethook, nop, {}))
--@ counts, errors, coroutines
local n = 0 debug.sethook(function(e) assert(e == "count") n = n + 1 end, "", 1000) for i = 1, 100000 do end debug.sethook() print(n > 10, n < 1000)
print(pcall(function() debug.sethook(function() error("stop") end, "", 1000) while true do end end)) debug.sethook()
local co = coroutine.create(function(x) local a = x coroutine.yield(a) local b = a return b end) local t = {} debug.sethook(co, function(e, l) t[#t + 1] = l end, "l") coroutine.resume(co, 1) t[#t + 1] = "main" coroutine.resume(co) print(#t, debug.gethook(), debug.gethook(co) ~= nil)
--@ what is passed
-- transfer
local inp, out local function hook(event) local ar = debug.getinfo(2, "ruS") local t = {} for i = ar.ftransfer, ar.ftransfer + ar.ntransfer - 1 do local _, v = debug.getlocal(2, i) t[#t + 1] = tostring(v) end if event == "return" then out = t else inp = t end end
debug.sethook(hook, "cr") math.abs(-3) debug.sethook() local function show(f, ...) debug.sethook(hook, "cr") f(...) local i, o = inp, out debug.sethook() print(table.concat(i, ","), table.concat(o, ",")) end
show(select, 2, 10, 20, 30) show(function(a, b, ...) return a, b, a end, 1, 2, 3) show(function() end) show(function(a) return select(1, a, a, 5) end, 9)
local function foo(a, ...) return ... end local function foo1() return foo(10, 20, 30) end show(foo1) 
-- nested pcall, errors
local ev = {} debug.sethook(function(e) local i = debug.getinfo(2, "n") ev[#ev + 1] = e .. "=" .. tostring(i.name) end, "cr") pcall(error, "x") pcall(function() error("y") end) debug.sethook() print(table.concat(ev, " "))
local ev = {} local function tail(n) if n > 0 then return tail(n - 1) end end debug.sethook(function(e) ev[#ev + 1] = e end, "cr") tail(2) debug.sethook() print(table.concat(ev, " "))
--@ variables, yields, metamethods
-- hook sees locals and changes them
local seen = {} local function h(e, l) local i = 1 while true do local n, v = debug.getlocal(2, i) if not n then break end if n == "cc" then debug.setlocal(2, i, 77) end seen[n] = v i = i + 1 end end local function work(p) local cc = 5 local dd = p
 local ee = cc + 1
 return cc, dd, ee end debug.sethook(h, "l") local a, b, c = work(3) debug.sethook() print(a, b, c, seen.p, seen.dd)
print(pcall(function() debug.sethook(function() coroutine.yield() end, "l")
 local x = 1 end)) debug.sethook() local s = {} debug.sethook(function(e, l) s[#s + 1] = l end, "l") local t = setmetatable({}, {__index = function(t, k) return k end, __add = function(a, b)
 return 5 end}) local z = t.x
 local y = t + t
 table.sort({3, 1, 2}, function(a, b)
 return a < b end) debug.sethook() print(#s > 4) local tr debug.sethook(function() tr = debug.traceback("T", 1) debug.sethook() end, "", 1) local x = 1 print(tr:match("in hook '%?'"))
