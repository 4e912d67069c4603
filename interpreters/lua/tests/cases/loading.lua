--@ environments and readers
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
print(load("return a", "c", "t", {a = 5})()) print(load("a = 1; return a", "c", "t", setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end}))())
local parts = {"return ", "1", " + 2", nil} local i = 0 print(load(function() i = i + 1 return parts[i] end)())
--@ names and modes
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
print(load(function() return nil end)) print(pcall(load)) print(pcall(load, {})) print(load("x =", "=name")) print(load("x =", "@file.lua")) print(load("x =", "name\nmore")) print(load("x =")) print(load("\n\nx =")) print(load("return 1", "x", "b")) print(load("\27Lua", "x", "t")) print(load("\27Lua", "x", "b")) print(pcall(load, "return 1", "x", "q")) print(load("return ...", "x")(1, 2)) print(load("x =", ("x"):rep(100))) print(load("x =", "=" .. ("x"):rep(100))) print(load("x =", "@" .. ("x"):rep(100))) print(load("", "")) print(load("x = ", "")) print(load("x=", "=")) print(load("x=", "@"))
--@ readers that fail
local function message(...) local f, e = load(...) print(f, (e:match("^[^\n]*"))) end
message(function() error("rd", 0) end) message(function() return {} end) message(function() error("at") end)
local co = coroutine.wrap(function() return pcall(load, function() coroutine.yield(1) end) end)
print(select("#", co()))
local n = 0 local f = load(function() n = n + 1 if n < 4 then return n end end) print(f, n)
local parts = {"return ", 1, 2, ""} n = 0 print(load(function() n = n + 1 return parts[n] end)())
--@ _ENV
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
local f = load("local a = ... ; return function() return a end, _ENV") local g, e = f(3) print(g(), e == _G) print(debug.getupvalue(f, 1)) print(debug.setupvalue(f, 1, {})) print(select(2, f(1)) == _G)
do local _ENV = {print = print} x = 3 print(x, _ENV.x) end local function t(_ENV) return y end print(t{y = 9}) print(pcall(function() local _ENV = nil; return x end)) print(pcall(function() local _ENV <const> = {}; z = 1; return z end)) print(pcall(load("local _ENV <const> = 3; return q")))
--@ files
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
print(pcall(dofile, "/nonexistent/x.lua")) print(loadfile("/nonexistent/x.lua"))
local n = os.tmpname() local fh = io.open(n, "w") fh:write("#!shebang\nreturn 1, ...") fh:close() print(dofile(n)) print(loadfile(n)(5)) fh = io.open(n, "w") fh:write("\xEF\xBB\xBF#x\nreturn debug.getinfo(1,'l').currentline") fh:close() print(dofile(n)) fh = io.open(n, "w") fh:write("#only") fh:close() print(loadfile(n)) print(dofile(n)) fh = io.open(n, "w") fh:write("x = = 1") fh:close() print((select(2, loadfile(n)):gsub("^.*:(%d+:)", "%1"))) print(pcall(dofile, n) == false) os.remove(n)
