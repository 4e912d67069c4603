--@ options
print(collectgarbage("generational"), collectgarbage("incremental"), collectgarbage("incremental", 100, 200, 10), collectgarbage("setpause", 150), collectgarbage("setpause", 200), collectgarbage("setstepmul", 333), collectgarbage("setstepmul", 100), collectgarbage("setstepmul"))
print(collectgarbage("isrunning"), collectgarbage("stop"), collectgarbage("isrunning"), collectgarbage("collect"), collectgarbage("isrunning"), collectgarbage("restart"), collectgarbage("isrunning"))
print(math.type(collectgarbage("count")), collectgarbage(), collectgarbage("step", 100000), pcall(collectgarbage, "foo")) print(pcall(collectgarbage, "step", "x")) print(pcall(collectgarbage, {})) print(collectgarbage(nil))
collectgarbage("stop") print(collectgarbage("step", 1), collectgarbage("step", 20000)) local n = 0 repeat n = n + 1 local t = {} until collectgarbage("step", 1) print(n > 1) n = 0 repeat n = n + 1 until collectgarbage("step") print(n >= 1) n = 0 repeat n = n + 1 until collectgarbage("step", 0) print(n >= 1) collectgarbage("restart")
local once do local function make() setmetatable({}, {__gc = function() if not once then print("gc", collectgarbage("count"), collectgarbage(), collectgarbage("isrunning"), collectgarbage("step"), collectgarbage("generational")) end once = true end}) end for i = 1, 20 do make() end end collectgarbage() print(collectgarbage("incremental"))
--@ stop
collectgarbage() collectgarbage("stop") local flag = false setmetatable({}, {__gc = function() flag = true end}) for i = 1, 300000 do local t = {i} end print(flag) collectgarbage("restart") for i = 1, 1000000 do local t = {i} end print(flag)
--@ memory falls
-- Other work takes the places on the native stack where addresses may have been left.
local function settle() for i = 1, 5 do collectgarbage() local s = tostring(i) .. "x" table.concat({s, s:rep(3), s:upper()}) end end
local function part() local t = {} for i = 1, 20000 do t[i] = {i, tostring(i)} end return t end
-- What one word of a native stack may keep by chance is less than half.
local function alive() local a, b, c, d, e, f, g, h = part(), part(), part(), part(), part(), part(), part(), part() return collectgarbage("count") end
collectgarbage() local before = collectgarbage("count") local peak = alive() settle() local after = collectgarbage("count") print(peak - before > 10000, after - before < (peak - before) / 2)
local w = setmetatable({}, {__mode = "v"}) do for i = 1, 100 do w[i] = {} end end settle() local left = 0 for k in pairs(w) do left = left + 1 end print(left < 10) local function one(n) return ("x"):rep(1 << 20) .. n end local function strings() local a, b, c, d, e, f, g, h = one(1), one(2), one(3), one(4), one(5), one(6), one(7), one(8) return collectgarbage("count") end local b = strings() settle() print(b - collectgarbage("count") > 4000)
