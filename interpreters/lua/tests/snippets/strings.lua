return string.byte("abc", -1), string.byte("abc", 1, -1), string.byte("", 1), string.byte("abc", 10), string.byte("abc", 0), string.byte("abc", 3, 2)

return string.byte()

return string.byte("a", {})

return string.byte("a", 1.5)

return string.byte("a", "x")

return string.byte(("x"):rep(1e7), 1, -1)

return string.char(), string.char(72, 105, 0)

return string.char(256)

return string.char(-1)

return string.char("a")

return string.char(1, 2, 3.5)

return ("x"):rep(0), ("x"):rep(-1), ("ab"):rep(3, ","), ("x"):rep(1, "sep"), (""):rep(1e9)

return ("x"):rep(1e10)

return ("x"):rep(math.maxinteger)

return ("x"):rep(1 << 40, "y")

return ("abc"):rep(math.maxinteger // 2)

return ("abcdef"):sub(2, 3), ("abc"):sub(-2), ("abc"):sub(0), ("abc"):sub(2, 100), ("abc"):sub(5), ("abc"):sub(-100, 2), ("abc"):sub(3, 1), ("abc"):sub(math.mininteger, math.maxinteger)

return ("abc"):sub()

return ("abc"):sub(1.5)

return ("abc"):sub("2"), ("abc"):sub(2.0)

return ("abc"):sub(2^63)

return ("aBc1"):upper(), ("AbC"):lower(), ("abc"):reverse(), ("abc"):len(), (""):reverse(), ("\xe4"):upper()

return string.len(5), string.upper(12), string.reverse(123)

return string.len()

return string.len({})

return string.len(nil)

return ("hello world"):find("wor"), ("hello"):find("l"), ("hello"):find("xyz"), ("hello"):find(""), ("hello"):find("", 10), ("hello"):find("", 6), ("hello"):find("l", -2), ("a.b"):find(".", 1, true), ("a.b"):find("%."), ("hello"):find("l", 100), ("abc"):find("b", -100)

return ("hello"):find("(l)(l)"), ("hello"):find("()ll()"), ("key = value"):match("(%w+)%s*=%s*(%w+)"), ("2024-01-02"):match("(%d+)-(%d+)-(%d+)")

return ("hello"):match("^h"), ("hello"):match("^e"), ("hello"):match("o$"), ("hello"):match("."), ("hello"):match(".*"), ("hello"):match(".-"), ("hello"):match(".-$"), ("a$b"):match("a$b"), ("^a"):match("^^a")

return ("  trim  "):match("^%s*(.-)%s*$"), ("f(a(b)c)d"):match("%b()"), ("THE (quick) fox"):find("%((%a+)%)"), ("x^2"):match("%^"), ("[[x]]"):match("%[%[(.-)%]%]")

return ("THE quick"):find("%f[%a]%a+%f[%A]"), ("hello world"):gsub("%f[%w]%w+", string.upper), ("aXb"):find("%f[%u]"), ("x"):find("%f[%z]"), ("\0x"):find("%f[x]")

return ("hello"):gsub("l", "L"), ("hello"):gsub("l", "L", 1), ("hello"):gsub("", "-"), ("hello"):gsub(".", {h = "H", e = false}), ("hello"):gsub("l", function() return nil end), ("abc"):gsub("%w", "%0%0"), ("abc def"):gsub("(%w+) (%w+)", "%2 %1"), ("abc"):gsub("b", "%%")

return ("abc"):gsub("b", "%2")

return ("abc"):gsub("b", "%")

return ("abc"):gsub("b", "%x")

return ("abc"):gsub("(b)", "%1%0"), ("abc"):gsub("b", "%1")

return ("abc"):gsub("b", {b = {}})

return ("abc"):gsub("b", {b = true})

return ("abc"):gsub("b", function() return {} end)

return ("abc"):gsub("b", function() return 12, 3 end), ("abc"):gsub("b", {b = 1.5})

return ("abc"):gsub("b")

return ("abc"):gsub("b", true)

return ("abc"):gsub("b", nil)

return ("abc"):gsub(".", "x", -1), ("abc"):gsub(".", "x", 0), ("abc"):gsub(".", "x", 2.0)

return ("abc"):gsub(".", "x", 1.5)

return ("abc"):gsub("(", "x")

return ("abc"):find("(")

return ("abc"):find("%")

return ("abc"):find("[a")

return ("abc"):find("[")

return ("abc"):find("[]")

return ("abc"):find("[^]")

return ("abc"):find("[a-")

return ("abc"):find("[a%")

return ("a]c"):find("[]]"), ("abc"):find("[^]]"), ("a-c"):find("[a-]", 2), ("a-c"):find("[-]"), ("abc"):find("[b-]"), ("a^c"):find("[c^]"), ("ab5"):find("[%d]"), ("x%"):find("[%%]")

return ("abc"):find(")")

return ("abc"):find("a)")

return ("abc"):find("%1")

return ("abc"):find("(a)%1"), ("aa"):find("(a)%1"), ("abab"):match("(..)%1")

return ("abc"):find("(a%1)")

return ("abc"):find("%b")

return ("abc"):find("%ba")

return ("abc"):find("%f")

return ("abc"):find("%fa")

return ("abc"):match("%b"), 1

return ("x"):find(("(x)"):rep(33))

return ("x"):rep(40):find(("(x)"):rep(32))

return ("x"):rep(300000):match(("x?"):rep(300000))

return ("x"):rep(3000):match(".-b")

return ("a"):rep(2500):match("(a-)$") ~= nil

return ("a"):match(("("):rep(20) .. "a")

return string.find("a", ("("):rep(40) .. "a" .. (")"):rep(40))

return ("abc"):find("b", 1.5)

return ("abc"):find({})

return ("abc"):find()

return string.find()

return string.find(nil, "a")

return string.gmatch("a b c", "%a")() 

local r = {} for a, b in ("k1=v1, k2=v2"):gmatch("(%w+)=(%w+)") do r[#r + 1] = a .. b end return table.concat(r, ";")

local r = {} for p in ("abc"):gmatch("()") do r[#r + 1] = p end return table.concat(r, ";")

local r = {} for p in ("abc"):gmatch("%a", 2) do r[#r + 1] = p end return table.concat(r, ";")

local r = {} for p in ("abc"):gmatch("^a") do r[#r + 1] = p end return #r

local r = {} for p in ("abcd"):gmatch("%a", -2) do r[#r + 1] = p end return table.concat(r, ";")

return ("abc"):gmatch()

return ("abc"):gmatch("(")()

local r = {} for a in ("abaabb"):gmatch("a*") do r[#r + 1] = "<" .. a .. ">" end return table.concat(r)

return ("abaabb"):gsub("a*", "x"), ("abc"):gsub("b*", "-"), (" a b "):gsub("%s*", "")

return string.format("%d %5d %-5d| %05d %+d % d %i", 1, 2, 3, 4, 5, 6, 7), string.format("%x %X %#x %o %#o", 255, 255, 255, 8, 8), string.format("%c%c", 65, 0), string.format("%s %10s %-10s| %.2s", "a", "b", "c", "defg")

return string.format("%f %.2f %10.3f %-10.1f| %+f %e %E %g %G %a", 1.5, 2.345, 3.14159, 2.5, 1, 12345.678, 0.00012, 1e20, 1e-10, 1.0), string.format("%5.1f|%05.1f|%#.0f", 2.25, 2.25, 3)

return string.format("%q", "a\nb\0c\"\\\r\t\1\0012"), string.format("%q", 1), string.format("%q", 1.5), string.format("%q", math.mininteger), string.format("%q", 1/0), string.format("%q", -1/0), string.format("%q", 0/0), string.format("%q %q", true, nil), string.format("%q", 0.1)

return string.format("%q", {})

return string.format("%10q", "x")

return string.format("%d", 1.5)

return string.format("%d", "1.5")

return string.format("%d", "10"), string.format("%d", 3.0), string.format("%s", nil), string.format("%s", true), string.format("%s", 1.0), string.format("%x", -1), string.format("%5s", true)

return string.format("%d", "x")

return string.format("%d")

return string.format("%d", nil)

return string.format("%s")

return string.format("%y", 1)

return string.format("%", 1)

return string.format("%10", 1)

return string.format("%0100d", 1)

return string.format("%.100d", 1)

return string.format("%100d", 1)

return string.format("%99d", 1):len(), string.format("%.99f", 1/3):len(), string.format("%99.99f", -1e308):len()

return string.format("%.3q", "x")

return string.format("%#s", "x")

return string.format("%-#5x|", 10), string.format("%+.3d", 5), string.format("% 5d", 42)

return string.format("%+s", "x")

return string.format("% s", "x")

return string.format("%0s", "x")

return string.format("%#d", 1)

return string.format("%+x", 1)

return string.format("%#c", 1)

return string.format("%.3c", 65)

return string.format("%-5c|", 65), string.format("%p", 1), string.format("%p", nil), string.format("%10p|", 1), string.format("%p", "x") ~= nil, string.format("%p", {}) == string.format("%p", {})

return string.format("%.p", {})

return string.format("%i", 2^31), string.format("%u", 1)

return string.format("%s %s", 1)

return string.format("%%"), string.format("%5%")

return string.format("%s", setmetatable({}, {__tostring = function() return "obj" end})), string.format("%.1s", setmetatable({}, {__tostring = function() return "obj" end}))

return string.format("%s", setmetatable({}, {__tostring = function() return 1 end}))

return string.format("%s", "a\0b"), string.format("%.20s", "a\0b"), #string.format("%s", ("x"):rep(1000)), string.format("%5s", "a\0b")

return string.format("%10s", "a\0b")

return string.format("%a %A %.2a %20a|", 0.5, 255.5, 1/3, 1), string.format("%a", 1/0), string.format("%f %g %e", 1/0, -1/0, 0/0 ~= 0/0 and 1/0), string.format("%5.2f|%-8g|", 1/0, 1/0)

return string.format("%g %g %g %g", 100000, 1000000, 1e15, 0.0001), string.format("%.14g %.17g %.3g", 0.1, 0.1, 1234567), string.format("%.0f %.0f %.0f", 0.5, 1.5, 2.5), string.format("%.20f", 0.1), string.format("%5.0e", 12345)

return string.format("%d", 2^63)

return string.format("%d", -2^63), string.format("%.0f", 2^63), string.format("%d", "0x10"), string.format("%c", "65")

return string.format({})

return string.format()

return string.format("%s", ("x"):rep(500)):len(), string.format("%-600s", "x")

return string.pack("i4", 100), string.pack(">i4", 100), string.pack("<i2", -2), string.pack("b", -128), string.pack("B", 255), string.pack("z", "hi"), string.pack("s1", "abc"), string.pack("s", "abc"), string.pack("f", 1.5), string.pack("d", 1.5), string.pack("n", 1), string.pack("j", -1), string.pack("J", 1), string.pack("T", 1)

return string.pack("b", 128)

return string.pack("B", 256)

return string.pack("B", -1)

return string.pack("i2", 32768)

return string.pack("i17", 1)

return string.pack("i0", 1)

return string.pack("i16", -1), string.pack(">I3", 0x010203), string.pack("I16", 5)

return string.pack("z", "a\0b")

return string.pack("s1", ("x"):rep(256))

return string.pack("c5", "abc"), string.pack("c0", ""), string.pack("x"), string.pack("!4 b Xi4 i4", 1, 2), string.pack("!8 b d", 1, 2), string.pack(" < i4 > i4 = i4 ", 1, 2, 3)

return string.pack("c2", "abc")

return string.pack("c", "abc")

return string.pack("X")

return string.pack("Xz")

return string.pack("Xi3 !4")

return string.pack("!3 i4", 1)

return string.pack("!17 i4", 1)

return string.pack("!0 i4", 1)

return string.pack("y", 1)

return string.pack("i4")

return string.pack("i4", "x")

return string.pack("i4", 1.5)

return string.pack("d", "x")

return string.pack("i4 i4", 1)

return string.packsize("i4i8"), string.packsize("!8i4i8"), string.packsize("b x h"), string.packsize("<!4 i1 i4"), string.packsize(""), string.packsize("c10"), string.packsize("!j")

return string.packsize("s")

return string.packsize("z")

return string.packsize("c2147483647c2147483647")

return string.packsize("c9223372036854775807")

return string.unpack("i4", "\1\0\0\0"), string.unpack("<i4 z s1", "\1\0\0\0hi\0\2ab"), string.unpack(">I2", "\1\2"), string.unpack("b", "\255"), string.unpack("c2", "abc"), string.unpack("i4", "xxxx\1\0\0\0", 5), string.unpack("i2", "\1\0\2\0", -2)

return string.unpack("i4", "abc")

return string.unpack("z", "abc")

return string.unpack("s1", "\5abc")

return string.unpack("i4", "abcd", 6)

return string.unpack("i4", "abcd", 5)

return string.unpack("i16", ("\255"):rep(16)), string.unpack("i16", ("\1"):rep(8) .. ("\0"):rep(8))

return string.unpack("i16", ("\1"):rep(16))

return string.unpack("I9", ("\1"):rep(9))

return string.unpack("", ""), string.unpack("!4 b Xi4", "\1\0\0\0")

return string.unpack("c-1", "")

return string.unpack("c99999999999999999999", "")

return string.unpack("d", string.pack("d", -0.0)), string.unpack("f", string.pack("f", 1e40)), string.unpack("n", string.pack("n", 1/0))

return string.unpack("i4")

return ("%d"):format(3), ("x"):len(), #"x"

local s = "abc"; return s:len(), s.len, s.x

return "a" .. 1, 1 .. "", 1.5 .. "|", 2^63 .. "", -0.0 .. "", 1e100 .. ""

return string.dump(print)

return string.dump()

return load(string.dump(function(a) return a + 1 end))(2)

return utf8.char(), utf8.char(72, 228, 8364, 0x10FFFF, 0x7FFFFFFF), utf8.charpattern

return utf8.char(-1)

return utf8.char(0x80000000)

return utf8.char("x")

return utf8.len("häß€"), utf8.len("\xff"), utf8.len("abc", 4), utf8.len("abc", 2, -1), utf8.len("", 1), utf8.len("äö", 2), utf8.len("äö", -2), utf8.len("\u{D800}", 1, -1, true), utf8.len("\u{D800}"), utf8.len("\u{7FFFFFFF}", 1, -1, true), utf8.len("\xF4\x90\x80\x80"), utf8.len("\xC0\x80")

return utf8.len("abc", 5)

return utf8.len("abc", 1, 4)

return utf8.len("abc", 0)

return utf8.len("abc", 1, -5), utf8.len("abc", 3, 1)

return utf8.codepoint("häß", 1, -1)

return utf8.codepoint("abc", 4)

return utf8.codepoint("abc", 1, 4)

return utf8.codepoint("\xff")

return utf8.codepoint("ä", 2)

return utf8.codepoint("\u{D800}")

return utf8.codepoint("\u{D800}", 1, 1, true), utf8.codepoint("abc"), utf8.codepoint("", 1, 0)

return utf8.offset("häß", 3), utf8.offset("häß", -1), utf8.offset("abc", 5), utf8.offset("abc", 4), utf8.offset("abc", 0, 2), utf8.offset("ä", 0, 2), utf8.offset("abc", 1, 4), utf8.offset("abc", -4), utf8.offset("", 1), utf8.offset("", 0)

return utf8.offset("ä", 1, 2)

return utf8.offset("abc", 1, 5)

return utf8.offset("abc", 1, -4)

return utf8.offset("abc")

for p, c in utf8.codes("hä€") do print(p, c) end

for p, c in utf8.codes("a\xff") do print(p, c) end

for p, c in utf8.codes("a\xe4\xbd") do print(p, c) end

for p, c in utf8.codes("\u{D800}") do print(p, c) end

for p, c in utf8.codes("\u{D800}", true) do print(p, c) end

for p, c in utf8.codes() do end

return table.concat({1, 2, 3}, ","), table.concat({}), table.concat({1, 2.5, "x"}, "-", 2), table.concat({1, 2, 3}, ",", 2, 3), table.concat({1}, ",", 2), table.concat({1, 2, 3}, "", 3, 2)

return table.concat({1, {}, 3})

return table.concat({1, nil, 3})

return table.concat({1, 2}, ",", 1, 3)

return table.concat({true})

return table.concat()

return table.concat(5)

return table.concat({}, {})

return table.concat({}, "x", 1.5)

return table.concat(setmetatable({}, {__index = function(_, i) return "v" .. i end, __len = function() return 3 end}), ",")

return table.concat({}, "", math.maxinteger, math.maxinteger)

local t = {1, 2, 3}; table.insert(t, 4); table.insert(t, 1, 0); return table.concat(t, ",")

table.insert({1, 2}, 5, 1)

table.insert({1, 2}, 0, 1)

table.insert({1, 2}, -1, 1)

table.insert({1, 2}, 3, 1) 

table.insert({1, 2})

table.insert({1, 2}, 1, 2, 3)

table.insert(nil, 1)

table.insert({}, "x", 1)

table.insert({}, 1.5, 1)

local t = {1, 2, 3}; return table.remove(t), table.remove(t, 1), #t, table.remove(t), table.remove(t), table.remove(t), table.remove({}, 0), table.remove({n = 1}, #{})

table.remove({1, 2}, 5)

return table.remove({1, 2}, 3), table.remove({}, 0), table.remove({[0] = "z"}, 0)

table.remove({1, 2}, -1)

table.remove({}, 1.5)

return table.remove(setmetatable({}, {__len = function() return 2 end, __index = function(_, i) return i * 10 end, __newindex = function(_, k, v) print(k, v) end}), 1)

return table.unpack({1, 2}, 1, 3), table.unpack({}, 1, 0), table.unpack({1, 2}, 2), table.unpack({1}, -1, 0)

return table.unpack({}, 1, 1e7)

return table.unpack({}, 1, 1e8)

return table.unpack({}, math.mininteger, math.maxinteger)

return table.unpack({}, 0, math.maxinteger)

return table.unpack({}, math.maxinteger, math.maxinteger)

return table.unpack()

return table.unpack(1)

return table.unpack("abc")

return table.unpack({}, "a")

return table.unpack(setmetatable({}, {__index = function(_, i) return i end}), 1, 3)

return table.pack().n, table.pack(nil, nil).n, table.pack(1, 2)[2]

local t = {5, 2, 8, 1}; table.sort(t); return table.concat(t, ",")

local t = {5, 2, 8, 1}; table.sort(t, function(a, b) return a > b end); return table.concat(t, ",")

table.sort({1, "x", 2})

table.sort({{}, {}})

table.sort({1, 2, 3}, function(a, b) return true end)

table.sort({1, 2, 3, 4, 5, 6, 7}, function(a, b) return true end)

table.sort({3, 2, 1}, function(a, b) error("cmp") end)

table.sort({}, 5)

table.sort({1, 2}, 5)

table.sort()

table.sort(5)

table.sort({1, 2, nil, 4})

table.sort(setmetatable({}, {__len = function() return math.maxinteger end}))

table.sort(setmetatable({}, {__len = function() return -5 end})) return 1

table.sort(setmetatable({}, {__len = function() return "x" end}))

return #setmetatable({}, {__len = function() return "x" end})

local t = {"b", "a", "C", "ab", ""}; table.sort(t); return table.concat(t, ",")

return table.concat(table.move({1, 2, 3}, 1, 3, 2), ","), table.concat(table.move({1, 2, 3}, 2, 3, 1), ","), table.concat(table.move({1, 2, 3}, 1, 3, 1, {}), ","), #table.move({1, 2}, 1, 0, 5)

table.move({}, 1, math.maxinteger, 2)

table.move({}, -1, math.maxinteger, 2)

table.move({}, 1, 2)

table.move(1, 2, 3, 4)

table.move({}, 1, 2, 3, 4)

return table.move({}, math.maxinteger, math.maxinteger, 1)

return #table.move({10, 20, 30}, 1, 3, math.maxinteger - 2), 1

return math.abs(-5), math.abs(-5.5), math.abs(math.mininteger), math.ceil(1.5), math.ceil(-1.5), math.floor(-1.5), math.floor(3), math.ceil(1e100), math.floor(-1e100), math.floor(2^31 + 0.5), math.max(1, 2.5), math.min(1, 2.5), math.max(1, 1.0), math.max(2), math.max(0/0, 1) ~= math.max(0/0, 1)

return math.abs()

return math.abs("x"), 1

return math.abs("-5"), math.floor("3.7"), math.sqrt("16"), math.floor("5")

return math.floor({})

return math.max()

return math.max(1, "x")

return math.max(1, "10")

return math.fmod(7, 3), math.fmod(-7, 3), math.fmod(7, -3), math.fmod(7.5, 2), math.fmod(-7.5, 2), math.fmod(1, math.huge), math.fmod(math.mininteger, -1), math.fmod(5, 0.0) ~= 0

return math.fmod(1, 0)

return math.fmod(1)

return math.modf(3.7), math.modf(-3.7), math.modf(5), math.modf(1/0), math.modf(-1/0), math.modf(2^53)

return math.sqrt(2), math.sin(1), math.cos(1), math.tan(1), math.asin(1), math.acos(0), math.atan(1), math.atan(1, -1), math.atan(-0.0, -1), math.exp(1), math.log(10), math.log(8, 2), math.log(100, 10), math.log(27, 3), math.log(0), math.log(-1) ~= math.log(-1)

return math.tointeger(3.0), math.tointeger(3.5), math.tointeger("8"), math.tointeger("x"), math.tointeger(2^63), math.tointeger({}), math.tointeger("3.0")

return math.tointeger()

return math.type(1), math.type(1.0), math.type("1"), math.type(nil)

return math.type()

return math.ult(1, -1), math.ult(-1, 1), math.ult(1, 2)

return math.ult(1.5, 2)

return math.pi, math.huge, math.maxinteger, math.mininteger, -math.pi

return math.random(0) ~= nil, math.random(5, 5), math.random(1), math.type(math.random()), math.random(3.0) <= 3

return math.random(0, -1)

return math.random(1, 2, 3)

return math.random(2, 1)

return math.random(1.5)

return math.random(-5)

return math.random(math.mininteger, math.maxinteger) ~= nil

math.randomseed(42); local a, b, c = math.random(1, 100), math.random(1, 1000000), math.random(); math.randomseed(42); return a, b, c, a == math.random(1, 100)

math.randomseed(1, 2); return math.random(0), math.random(0), math.random(10), math.random()

math.randomseed(7.0); return math.random(0)

math.randomseed(7.5); return math.random(0)

math.randomseed("x")

return math.deg(math.pi), math.rad(180), math.cos(math.huge) ~= 0

return math.pow, math.ldexp, math.log10, math.cosh, unpack, loadstring, setfenv, table.getn, string.gfind, bit32