--@ integer division and modulo
for _, p in ipairs{{7,3},{-7,3},{7,-3},{-7,-3},{7.5,2},{-7.5,2},{7,0.0},{-7,0.0},{5,math.huge},{-5,math.huge},{5,-math.huge}} do
  print(p[1], p[2], p[1]//p[2], p[1]%p[2])
end
print(pcall(function() return 1//0 end))
print(pcall(function() return 1%0 end))
print(math.mininteger // -1, math.mininteger % -1)
--@ overflow wraps around
print(math.maxinteger + 1 == math.mininteger, math.mininteger - 1 == math.maxinteger)
print(math.maxinteger * 2, math.mininteger * 3, -math.mininteger == math.mininteger)
print(0x7fffffffffffffff, 0xffffffffffffffff, 0x1ffffffffffffffff)
--@ numerals
print(3, 3.0, 3.1416, 314.16e-2, 0.31416E1, 34e1, 0xff, 0x0.1E, 0xA23p-4, 0X1.921FB54442D18P+1)
print(9223372036854775807, 9223372036854775808, 1e308*10, -1e308*10, 5e-324, 2^53)
print(.5, 5., 0x.8p0, 0x8.p1, 1e+5, 1E-5)
print(100000000000000, 1e14, 1e15, 1e16, 123456789012345678)
print(0.1, 0.1+0.2, 1/3, 100/3, 1e100, 123456.789e3)
--@ float to string
for _, x in ipairs{0.0, -0.0, 1e15, 1e14, 123456789012345.0, 99999999999999.9, 1e-5, 0.0001, 12345678.9, 2^63, -2^63, 1e300} do print(x) end
print(1e15 == 10^15, 2^31, 2^31|0)
--@ comparisons of integers and floats
print(1 == 1.0, 1 < 1.5, 2^53 == 2^53+1, math.maxinteger < math.huge, math.mininteger <= -2^63)
print(math.maxinteger + 0.0 == math.maxinteger, math.maxinteger < 2^63, math.maxinteger <= 2^63 - 1025)
print(1 < 0/0, 1 > 0/0, 0/0 == 0/0, 0/0 ~= 0/0)
print((2^53|0) + 1 > 2^53, (2^53|0) + 1 == 2^53, -(2^53|0) - 1 < -2^53)
--@ conversions of strings
print("10"+5, "0x10"+0, " 3.5 "*2, "1e1"+0, 10 .. 20, -"2", "7"//2, "7"%4, "2"^3)
print(pcall(function() return "abc"+1 end))
print(pcall(function() return {}+1 end))
print("10"|1, pcall(function() return "1.5"|1 end))
print(pcall(function() return "a"|1 end))
--@ bitwise
print(5 & 3, 5 | 3, 5 ~ 3, ~5, 1 << 62, 1 << 63, 1 << 64, 1 >> 1, -1 >> 1, -1 >> 63, 1 << -1, 2 >> -1)
print(3.0 & 1, 2^53 | 0, pcall(function() return 1.5 & 1 end))
print(pcall(function() return 2^64 | 0 end))
print(1 << 100, 1 >> 100, -1 >> -100, ~0, ~~7)
--@ truth
print(not nil, not false, not 0, not "", nil and 1, false or nil, 1 and 2, nil or "x", false == nil)
print(1 and nil or 3, (nil or false) == false, 1 or error("no"))
--@ tostring and tonumber
print(tonumber("10"), tonumber("0x1p4"), tonumber("  12  "), tonumber("12a"), tonumber(""), tonumber(" "), tonumber("1e"), tonumber("1 2"))
print(tonumber("10", 2), tonumber("ff", 16), tonumber("zz", 36), tonumber("8", 8), tonumber("-7f", 16), tonumber(" 11 ", 2))
print(tonumber("9223372036854775808"), tonumber("-9223372036854775808"), tonumber("0x8000000000000000"))
print(tonumber(nil == nil), pcall(tonumber), pcall(tonumber, "1", 99), pcall(tonumber, 1, 10))
print(tostring(nil), tostring(true), tostring(12), tostring(-0.0), tostring("x"))
print(tonumber("inf"), tonumber("nan"), tonumber("0x"), tonumber("1e400"), tonumber("0x.p1"))
--@ math
print(math.floor(3.7), math.floor(-3.7), math.ceil(3.2), math.ceil(-3.2), math.floor(5), math.floor(1e300) == 1e300)
print(math.abs(-5), math.abs(-5.5), math.abs(math.mininteger), math.max(1, 2.5, 2), math.min(3, 1, 2))
print(math.fmod(7, 3), math.fmod(-7, 3), math.fmod(7, -3), math.fmod(5.5, 2), pcall(math.fmod, 1, 0))
print(math.modf(3.7), math.modf(-3.7), math.modf(math.huge), math.modf(5))
print(math.tointeger(3.0), math.tointeger(3.5), math.tointeger("8"), math.tointeger({}), math.type(1), math.type(1.0), math.type("1"))
print(math.ult(1, -1), math.ult(-1, 1), math.sqrt(16), math.exp(0), math.log(8, 2), math.log(100, 10), math.log(1))
print(string.format("%.10f %.10f %.10f", math.sin(1), math.cos(1), math.atan(1, 2)), math.pi)
print(math.maxinteger, math.mininteger, math.huge, -math.huge)
print(pcall(math.random, 2, 1), pcall(math.floor, "x"), pcall(math.max))
--@ random is in range
math.randomseed(42)
for _ = 1, 1000 do
  local x = math.random(10) assert(x >= 1 and x <= 10)
  local y = math.random(-5, 5) assert(y >= -5 and y <= 5)
  local z = math.random() assert(z >= 0 and z < 1)
end
math.randomseed(7) local a = math.random(1000000)
math.randomseed(7) print(a == math.random(1000000), math.random(3, 3), math.type(math.random(0)))
--@ integer for loops
for i = 1, 3 do io.write(i, " ") end
for i = 3, 1, -1 do io.write(i, " ") end
for i = 1, 0 do io.write("never ") end
for i = math.maxinteger - 1, math.maxinteger do io.write(i, " ") end
for i = math.mininteger + 1, math.mininteger, -1 do io.write(i, " ") end
for i = 1, 2.9 do io.write(i, " ") end
for i = 1, math.huge do if i > 3 then break end io.write(i, " ") end
for i = 1, -math.huge, -1 do if i < -1 then break end io.write(i, " ") end
print()
--@ float for loops
for x = 1.0, 2, 0.25 do io.write(x, " ") end
for x = 1, 0, -0.5 do io.write(x, " ") end
for x = 0.1, 0.35, 0.1 do io.write(x, " ") end
print()
print(pcall(function() for i = 1, 10, 0 do end end))
print(pcall(function() for i = "a", 10 do end end))
print(pcall(function() for i = 1, {} do end end))
print(pcall(function() for i = 1, 2, "x" do end end))
