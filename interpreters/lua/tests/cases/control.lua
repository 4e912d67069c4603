--@ closures in loops of goto
local fs = {}
do
  local i = 1
  ::top::
  local x = i * 10
  fs[#fs+1] = function() x = x + 1 return x end
  i = i + 1
  if i <= 4 then goto top end
end
for i, f in ipairs(fs) do print(i, f(), f()) end
for i = 1, 3 do
  for j = 1, 3 do
    if j == 2 then goto continue end
    print(i, j)
    ::continue::
  end
end
-- closures captured per iteration through continue
local t = {}
for i = 1, 3 do
  local k = i
  t[i] = function(n) k = k + n return k end
  if i % 2 == 0 then goto next end
  k = k * 100
  ::next::
end
print(t[1](1), t[2](1), t[3](1), t[1](1))
--@ what goto may not
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
local function bad(s) print(load(s)) end
bad "goto x"
bad "do ::x:: end goto x"
bad "goto x; local a; ::x:: print(a)"
bad "goto x; local a ::x::"
bad "::x:: ::x::"
bad "::x:: do ::x:: end"
bad "do goto x; local a; ::x:: ; end"
bad "do goto x; local a; ::x:: ::y:: ; end"
bad "repeat if x then goto cont end; local xuxu = 10; ::cont:: until xuxu < x"
bad "break"
bad "goto = 1"
bad "if true then break end"
bad "while true do local function f() break end end"
bad "repeat goto c; local z = 1; ::c:: until z"
bad "::a:: goto a goto b"
bad "goto l1; local aa ::l1:: ::l2:: print(3)"
bad "goto l1; do ::l1:: end"
--@ goto back over blocks
do
  local first = true
  local a = false
  if true then
    goto LBL
    ::loop::
    a = true
    ::LBL::
    if first then first = false goto loop end
  end
  print(a)
end
-- goto out of nested functions with upvalues
local function g(n)
  local r = {}
  do
    local i = 1
    ::a:: do local y = i; r[#r+1] = function() return y end end
    i = i + 1
    if i > n then goto b end
    goto a
  end
  ::b::
  local s = 0
  for _, f in ipairs(r) do s = s * 10 + f() end
  return s
end
print(g(5))
-- semicolons, empty statements
;;; local goto1 = 3; print(goto1)
while true do if true then goto out end end ::out::
do local x <const> = 3; goto e; ::e:: print(x) end
--@ bounds of numeric loops
local function loop(a, b, c) local r, n = {}, 0 local ok, e = pcall(function() for i = a, b, c do r[#r + 1] = tostring(i) n = n + 1 if n > 6 then break end end end) print(ok, e, table.concat(r, " ")) end
local function loop2(a, b) local r, n = {}, 0 local ok, e = pcall(function() for i = a, b do r[#r + 1] = tostring(i) n = n + 1 if n > 6 then break end end end) print(ok, e, table.concat(r, " ")) end
loop(1, 3, 1) loop(3, 1, -1) loop(1, 0, 1) loop(1, 3, 0) loop(1.0, 3, 0) loop(1, 3, 0.0) loop(1, 3.5, 1) loop(1, 3, 0.5) loop(1.0, 3, 1) loop(math.maxinteger - 1, math.maxinteger, 1) loop(math.mininteger + 1, math.mininteger, -1) loop(math.maxinteger - 1, math.huge, 1) loop(math.mininteger, -math.huge, -1) loop(1, math.huge, 1) loop(1, -math.huge, 1) loop(1, 0/0, 1) loop(1, "3", 1) loop("1", 3, 1) loop(1, 3, "1") loop({}, 3, 1) loop(1, nil, 1) loop(nil, 1, 1) loop(1, 2, {}) loop(1, math.maxinteger + 0.0, 1) loop(math.maxinteger, math.maxinteger + 1.0, 1) loop(math.mininteger, math.mininteger - 1.0, -1) loop(-1, -3.5, -1) loop(3, 2.999, -1) loop(3, 3.0001, -1) loop(math.mininteger, math.maxinteger, math.maxinteger) loop(math.maxinteger, math.mininteger, math.mininteger) loop(1, 10, math.maxinteger) loop(math.mininteger, math.maxinteger, 1 << 62) loop(0.1, 1, 0.3) loop(1, 2, 0/0) loop(1e308, math.huge, 1e308) loop(-1e308, -math.huge, -1e308) loop2(1, 3) loop2(2.0, 4) loop2(1, 3.9) loop2(1, "x") loop2({}, 1) loop2(math.maxinteger, math.maxinteger) loop2(5, 1) loop2("a", "b") loop2(1, setmetatable({}, {__name = "TT"}))
--@ loops, depth, varargs
for i = 1, 3 do local j = i i = i * 10 io.write(i, " ", j, " ") end print() for i = 3, 1 do print"never" end local function it(s, c) if c < s then return c + 1, c * 2 end end for a, b, c, d in it, 3, 0 do print(a, b, c, d) end print(pcall(function() for a in 5 do end end)) print(pcall(function() for a in nil do end end)) print(pcall(function() for a in {} do end end)) print(pcall(function() local x for a in x do end end)) for a in setmetatable({}, {__call = function(self, s, c) c = (c or 0) + 1 if c < 3 then return c end end}) do print(a) end local t = {} for k in pairs{a = 1, b = 2, c = 3} do t[#t + 1] = k end table.sort(t) print(table.concat(t))
--@ what errors say
local fs = {} for i = 1, 3 do fs[i] = function() i = i + 1 return i end end print(fs[1](), fs[1](), fs[2](), fs[3]()) local k = 0 while k < 10 do k = k + 1 if k == 5 then break end end print(k) repeat local z = k k = k - 1 until z < 3 print(k) for i = 10, 1, -3 do io.write(i, " ") end print() for i = 1, 0.5 do print"no" end for i = 1.5, 3 do io.write(i, " ") end print() local function deep(n) if n == 0 then return 0 end return 1 + deep(n - 1) end print(deep(10000)) local function tl(n) if n == 0 then return "end" end return tl(n - 1) end print(tl(1000000)) print(pcall(function() local function inf() return 1 + inf() end inf() end)) print(select(2, pcall(function() local function inf() inf() end inf() end))) local function v(...) local a, b = ... return select("#", ...), a, b, ... end print(v()) print(v(nil)) print(v(1, 2, 3)) print((v(1, 2, 3))) local function va2(a, ...) local t = {...} return #t, ..., a end print(va2(1, 2, 3)) print(pcall(select, 2 ^ 53)) print(string.format("%s %s", v()))
--@ order of evaluation
local log = {} local function L(x) log[#log + 1] = tostring(x) return x end local t = setmetatable({}, {__newindex = function(t, k, v) log[#log + 1] = "set" .. tostring(k) rawset(t, k, v) end, __index = function(t, k) log[#log + 1] = "get" .. tostring(k) end}) local i = 1 i, t[i] = i + 1, 20 print(i, rawget(t, 1), rawget(t, 2)) log = {} t[L(5)], t[L(6)], t[L(7)] = L(8), L(9) print(table.concat(log, " ")) log = {} local a = {L(1), [L(2)] = L(3), L(4), x = L(5)} print(table.concat(log, " ")) log = {} print(L(1) + L(2) * L(3) .. L(4), table.concat(log, " ")) log = {} local _ = L(1) < L(2), L(3) > L(4), L(5) >= L(6) print(table.concat(log, " ")) local a, b, c = (function() return 1, 2, 3 end)() print(a, b, c) local a, b, c = (function() return 1, 2, 3 end)(), 10 print(a, b, c) local a, b, c = ((function() return 1, 2, 3 end)()) print(a, b, c) local x, y = 1, 2 x, y = y, x print(x, y) local t = {1, 2} local i = 1 i, t[i], t[i + 1] = 2, "a", "b" print(i, t[1], t[2]) local a = {} local b = a a.x, a = 1, 2 print(b.x, a)
