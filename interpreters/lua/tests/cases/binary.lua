--@ functions come back as they were
local function back(f, strip) return assert(load(string.dump(f, strip), "other", "b")) end
local f = back(function(a, ...) local t = {...} local s = 0 for i, v in ipairs(t) do s = s + v * a end for i = 10, 1, -3 do s = s - i end for x = 0.5, 2 do s = s + x end return s, #t, select("#", ...), a // 3, a % 3, ("x"):rep(a) end)
print(f(4, 1, 2, 3)) print(f(7))
print(back(function() local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end return fib(15) end)())
print(back(function() local fs = {} for i = 1, 3 do local j = i * i fs[i] = function(d) j = j + d return i, j end end return fs[2](1), select(2, fs[3](5)), fs[1](0) end)())
print(back(function() local t = {1, 2, 3, nil, 5, x = 1, ["a b"] = {y = {z = "deep"}}, [10] = 1.5} t.x = t.x + 1 return t.x, t["a b"].y.z, t[10], t[5], #{table.unpack(t, 1, 3)} end)())
print(back(function() local i = 0 ::top:: i = i + 1 if i < 5 then goto top end while true do i = i + 1 if i > 20 then break end end repeat local k = i i = i - 1 until k < 15 return i end)())
print(back(function() local log = {} do local a <close> = setmetatable({}, {__close = function() log[#log + 1] = "a" end}) local b <const> = 5 log[#log + 1] = b end for k in next, {1}, nil, setmetatable({}, {__close = function() log[#log + 1] = "for" end}) do break end return table.concat(log, " ") end)())
print(back(function() return 0x7fffffffffffffff, math.mininteger, 1e308, -0.0, 0.1, "a\0b\255", nil, true, false, "a long text that is not one of the short ones, as it has many bytes" end)())
print(pcall(back(function(x) return x.y.z end), {})) print(pcall(back(function(x) local y = x return y() end), nil)) print(pcall(back(function() undefined.x = 1 end)))
print(load(string.dump(load("return 1, ..."), true))(2, 3))
print(back(function() return not nil, -(3), ~5, #"abc", 1 .. 2 .. "x", 3 & 5 | 8 ~ 1, 1 << 4 >> 2, 2 ^ 10, 7 / 2 end)())
print(select("#", string.dump(print and function() end)), string.dump(function() end):byte(1), type(string.dump(function() end)))
--@ upvalues are new, and the first is the environment
local up, other = 1, 2
local function f() return up, other end
print(load(string.dump(f), "f", "b", 5)()) print(pcall(load(string.dump(function() return _ENV, up end)), 1) == true)
local g = load(string.dump(function() up = (up or 10) + 1 return up end), "g", "b", nil) print(g(), g(), up)
local h = load(string.dump(function() x = 1 return x end), "h", "b", setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end})) print(h(), x)
local n = load(string.dump(function() return 7 end)) print(n(), debug.getupvalue(n, 1), debug.getinfo(n, "u").nups)
--@ what is left out
local up = 1
local function g(x) local y = x; return y + up end
local h = load(string.dump(g, true))
print(pcall(h, 1)) print((debug.getupvalue(h, 1))) print(debug.getlocal(h, 1)) local i = debug.getinfo(h, "Slu") print(i.short_src, i.source, i.linedefined, i.lastlinedefined, i.currentline, i.what, i.nups, i.nparams, i.isvararg)
print(next(debug.getinfo(h, "L").activelines)) print(#string.dump(g, true) < #string.dump(g), string.dump(g, true) == string.dump(h, true))
print(pcall(load(string.dump(load("local a = ... error('x')"), true)))) print(pcall(load(string.dump(load("error('x', 2)"), true))))
print(pcall(load(string.dump(function() local a <close> = 1 end, true)))) print(pcall(load(string.dump(function() foo() end, true)))) print(pcall(load(string.dump(function() foo.bar() end, true)))) print(pcall(load(string.dump(function() local q q() end, true))))
print(pcall(load(string.dump(function() return debug.getlocal(1, 1) end, true)), 5)) print(pcall(load(string.dump(function() local a = 3 return debug.getlocal(1, 1) end, true)), 5)) print(load(string.dump(function() return debug.getinfo(1, "l").currentline end, true))())
local whole = load(string.dump(g)) print((debug.getupvalue(whole, 1))) print(debug.getlocal(whole, 1)) print(debug.getinfo(whole, "S").linedefined, debug.getinfo(whole, "S").source == debug.getinfo(g, "S").source)
local lines = {} local f = load(string.dump(function() local a = 1
local b = 2
return a + b end, true)) debug.sethook(function(_, line) lines[#lines + 1] = tostring(line) end, "l") f() debug.sethook() print(#lines)
--@ modes, headers, damage
local function f() return 1 end
print(load(string.dump(f), "x", "t")) print(load("x=1", "x", "b")) print(load("x=1", "x", "q")) print(load(string.dump(f), "x", "bt")()) print(load(string.dump(f), "x", "b")())
print(load("\27Lua")) print(load("\27Lua", "=foo")) print(load("\27foo", "@foo")) print(load("\27xxxxxxxxxxxxxx", "foo")) print(load("\27"))
print(pcall(string.dump, print)) print(pcall(string.dump, 1)) print(pcall(string.dump)) print(pcall(string.dump, coroutine.wrap(f)))
local d = string.dump(f) local head = string.pack("<c4BBc6BBBi8n", "\27Lua", 0x54, 0, "\x19\x93\r\n\x1a\n", 4, 8, 8, 0x5678, 370.5) print(d:sub(1, #head) == head)
for i = 1, #head do local bad = d:sub(1, i - 1) .. string.char(d:byte(i) + 1 & 255) .. d:sub(i + 1) if i > 1 and load(bad) then print("loaded", i) end end
local truncated = 0 for i = 1, #d - 1 do local g, message = load(d:sub(1, i)) if g or not message:find("truncated", 1, true) then print(i, g, message) else truncated = truncated + 1 end end print(truncated == #d - 1)
local at = 0 print(load(function() at = at + 1 return at <= #d and d:sub(at, at) or nil end)()) print(load(d .. "whatever")())
print(load((d:gsub("\x19", "x")))) print(load((d:gsub("\x54", "x", 1))))
--@ files
local name = os.tmpname() local out = assert(io.open(name, "wb")) out:write("#!any\n", string.dump(function(...) return ..., 5 end)) out:close()
print(loadfile(name)(1)) print(loadfile(name, "b")(2)) print((select(2, loadfile(name, "t")):gsub("^.*: ", ""))) print(select("#", dofile(name))) os.remove(name)
