--@ each conversion
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x%x%x%x%x%x%x%x%x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
local function f(...) print(pcall(string.format, ...)) end
for _, fm in ipairs{"%d","%5d","%-5d|","%05d","%+d","% d","%.3d","%8.3d","%-8.3d|","%i","%u","%x","%X","%#x","%#X","%o","%#o","%c","%e","%.3e","%E","%f","%.0f","%#.0f","%5.1f","%g","%#g","%G","%a","%A","%.2a","%s","%5s","%-5s|","%.2s","%q","%%"} do
  f(fm, 42) f(fm, -42) f(fm, 3.0) f(fm, 1e15) f(fm, "10") f(fm, "0x10") f(fm, 2^63) f(fm, math.mininteger)
end
--@ widths and precisions
local function f(...) print(pcall(string.format, ...)) end
f("%d", 3.5) f("%d", "3.5") f("%d", {}) f("%d") f("%c%c", 65, 0) f("%s %s", 1) f("%y", 1) f("%", 1) f("%10") f("%-10.123d", 1) f("%0100d", 1) f("%.100f", 1)
f("%99d", 7) f("%.99f", 1/3) f("%1000s", 1)
--@ quoted and named
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x%x%x%x%x%x%x%x%x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
local function f(...) print(pcall(string.format, ...)) end
f("%q", 1/0) f("%q", -1/0) f("%q", 0/0) f("%q", 0.1) f("%q", math.mininteger) f("%q", "a\nb\0c\0001\r\"\\") f("%q", nil) f("%q", true) f("%q", {}) f("%5q", 1) f("%q", 1e100) f("%q", 2^53) f("%q", -0.0)
f("%s", nil) f("%s", setmetatable({}, {__tostring = function() return "ts" end})) f("%s", setmetatable({}, {__tostring = function() return 1 end})) f("%s", setmetatable({}, {__name = "NM"}) ) 
--@ more conversions
local function f(...) print(pcall(string.format, ...)) end
f("%.20s|", ("x"):rep(50)) f("%s|", ("y"):rep(300)) f("%10.3s|", "abcdef") f("%s", "a\0b") f("%.5s|", "a\0bcdef") f("%5s|", "a\0b") f("%-20s|", "a\0b")
--@ flags that are refused
local show = print local function print(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x%x%x%x%x%x%x%x%x%x+", "ADDRESS") end show(table.concat(t, "\t", 1, t.n)) end
local function f(...) print(pcall(string.format, ...)) end
f("%i", 2^31) f("%x", -1) f("%5.2s|%5.1s|", "abc", "d") f("%p", 1) f("%p", nil) f("%p", "x" ) f("%10p|", 12) f("%.3p", {}) f("%#p", {}) f("%-5p|", true)
f("% 5d", 3) f("%+.3f", 2.5) f("%+g", 1e300) f("%g", 1e-5) f("%g", 123456789) f("%.14g", 3.14159265358979) f("%.17g", 0.1) f("%g", 0/0) f("%f", 1/0) f("%5.1f|%-8.2e|", -1/0, 0/0) f("%d", -0.0) f("%.3f", 2^60) f("%a", 0) f("%a", 1) f("%a", 0.5) f("%.0a", 1.5) f("%a", 1e-320) f("%a", 1/0) f("%+a", 1)
--@ arguments that are wrong
local function f(...) print(pcall(string.format, ...)) end
f("%c", 256) f("%c", "65") f("%c", "x") f("%5c|", 65) f("%-5c|", 65) f("%#d", 1) f("%+s", "x") f("%#s", "x") f("%0s", "x") f("% s", 1) f("%#i", 3) f("%+x", 3) f("%+c", 3) f("%.3c", 65) f("%+q", 1)
