--@ in every metamethod
local mt = {}
mt.__index = function(t, k) return coroutine.yield("index", k) end
mt.__newindex = function(t, k, v) coroutine.yield("newindex", k, v) rawset(t, k, v) end
mt.__add = function(a, b) return coroutine.yield("add") end
mt.__concat = function(a, b) return coroutine.yield("concat") end
mt.__eq = function(a, b) return coroutine.yield("eq") end
mt.__lt = function(a, b) return coroutine.yield("lt") end
mt.__le = function(a, b) return coroutine.yield("le") end
mt.__len = function(a) return coroutine.yield("len") end
mt.__unm = function(a) return coroutine.yield("unm") end
mt.__call = function(self, ...) return coroutine.yield("call", ...) end
mt.__close = function(a, e) coroutine.yield("close", e) end
local function new() return setmetatable({}, mt) end
local co = coroutine.wrap(function()
  local ok, a, b = pcall(function()
    local t = new()
    print("x", t.foo)
    t.bar = 5
    print("y", rawget(t, "bar"))
    print(t + 1, t .. "s", new() == new(), new() < new(), new() <= new(), #t, -t)
    print(t(1, 2, 3))
    do local c <close> = new() print "in" end
    local ok, e = pcall(function()
      local c <close> = new()
      local d <close> = new()
      error("boom", 0)
    end)
    print(ok, e)
    for a, b in (function(s, c) return coroutine.yield("iter", c) end), nil, 0 do print("it", a, b) end
    return "done", 3
  end)
  return ok, a, b
end)
local args = {10, nil, 20, "cc", true, false, 1, 7, 8, nil, "c1", "c2", "c3", 1, 2, nil}
local i = 0
local r = table.pack(co())
while r[1] ~= true and i < 40 do
  i = i + 1
  print("yielded", table.unpack(r, 1, r.n))
  r = table.pack(co(args[i]))
end
print(table.unpack(r, 1, r.n))
--@ generators
-- nested
local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local function filter(p, g) return coroutine.wrap(function() while true do local n = g() if n == nil then return end if n % p ~= 0 then coroutine.yield(n) end end end) end
local x = gen(50) x()
local out = {}
while true do local n = x() if n == nil then break end out[#out+1] = n x = filter(n, x) end
print(table.concat(out, " "))
print(coroutine.isyieldable(), select(2, coroutine.running()))
--@ resume, close, native functions
local co = coroutine.create(function(...) print(...) local ok, e = pcall(error, {}) print(ok, type(e)) return coroutine.yield(1, 2, 3) end)
print(coroutine.resume(co, "a", "b"))
print(coroutine.status(co))
print(coroutine.resume(co, "c"))
print(coroutine.status(co))
print(coroutine.resume(co))
print(coroutine.close(co))
local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function(_, e) print("closing", e) error("in close", 0) end}) coroutine.yield() end)
coroutine.resume(co)
print(coroutine.close(co))
print(coroutine.status(co))
print(pcall(coroutine.close, coroutine.running()))
local w = coroutine.wrap(function() error("werr") end)
print(pcall(w))
print(pcall(w))
local w = coroutine.wrap(function() error({1}) end)
print(select('#', pcall(w)))
print(pcall(coroutine.resume, 3))
print(pcall(coroutine.create, 3))
print(pcall(coroutine.yield))
print(pcall(coroutine.wrap(function() return pcall(pcall, pcall, coroutine.yield, 1) end)))
local co co = coroutine.create(function() print(coroutine.resume(co)) print(coroutine.status(co)) end)
coroutine.resume(co)
local co1, co2
co1 = coroutine.create(function() return coroutine.resume(co2) end)
co2 = coroutine.create(function() print(coroutine.status(co1), coroutine.resume(co1)) print(pcall(coroutine.close, co1)) end)
print(coroutine.resume(co1))
-- yield across table.sort / gsub
print(coroutine.resume(coroutine.create(function() table.sort({3,2,1}, function(a,b) coroutine.yield() return a<b end) end)))
print(coroutine.resume(coroutine.create(function() string.gsub("abc", ".", function() coroutine.yield() end) end)))
print(coroutine.resume(coroutine.create(function() return load(function() coroutine.yield() end) end)))
print(coroutine.resume(coroutine.create(function() return require"xx_yy" end)) == true)
-- xpcall w/ yield in handler etc
print(coroutine.resume(coroutine.create(function() return xpcall(function() coroutine.yield(5) error("e", 0) end, function(m) return m .. "!" end) end)))
local co = coroutine.create(function() return xpcall(function(...) local a = coroutine.yield(...) error(a, 0) end, function(m) return m .. "!" end, 1, 2) end)
print(coroutine.resume(co)) print(coroutine.resume(co, "zz"))
-- traceback of coroutine
local co = coroutine.create(function() local function f() coroutine.yield() end f() end)
coroutine.resume(co)
print(debug.traceback(co)) print(debug.traceback(co, "msg")) print(debug.traceback(co, nil, 1)) print(debug.traceback("hi", 1))
print(debug.traceback({}) ~= nil, debug.traceback(nil), debug.traceback(12))
