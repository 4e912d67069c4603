--@ escapes
print("a\tb\\n\"q\"\'s\' \65\066\x41\u{48}\u{20AC}\z
      joined", 'x\
y', [[
long
string]], [==[a]]b]==])
print(#"\0\00\000", "\x7f" == "\127", #"\u{7FFFFFFF}")
--@ length and sub
print(#"", #"abc", ("hello"):sub(2,3), ("hello"):sub(-3), ("hello"):sub(-3,-2), ("hello"):sub(0), ("hello"):sub(10), ("hello"):sub(2,1), ("hello"):sub(-100,2))
print(("x"):rep(3), ("ab"):rep(3,"-"), ("x"):rep(0), ("x"):rep(-1), ("abc"):reverse(), ("aBc"):upper(), ("aBc"):lower(), ("abc"):len())
print(("hello"):byte(), ("hello"):byte(-1), ("hello"):byte(1,3), ("hello"):byte(10), string.char(72,105), string.char())
print(pcall(string.rep), pcall(string.char, 256), pcall(string.rep, "x", 1 << 40))
--@ find
print(("hello world"):find("wor"), ("hello"):find("l"), ("hello"):find("xyz"), ("hello"):find(""), ("hello"):find("", 10), ("hello"):find("", 6))
print(("a.b"):find(".", 1, true), ("a+b"):find("+", 1, true), ("hello"):find("l", 4), ("hello"):find("l", -2))
print(("hello"):find("(l)(l)"), ("key = value"):find("(%w+)%s*=%s*(%w+)"))
--@ match classes
print(("x123y"):match("%d+"), ("abc"):match("%a+"), ("  trim  "):match("^%s*(.-)%s*$") .. "|", ("A1_b"):match("[%w_]+"), ("hello"):match("[^l]+"), ("a-z"):match("[a%-z]+"), ("]"):match("[]]"), ("^x"):match("[%^x]+"))
print(("2024-01-15"):match("(%d+)-(%d+)-(%d+)"), ("f(a(b)c)d"):match("%b()"), ("THE (quick) fox"):find("%((%a+)%)"))
print(("hello"):match(".-l"), ("hello"):match(".*l"), ("hello"):match("l?lo"), ("abc"):match("()b()"), ("aaa"):match("a-$"))
print(("THE (quick) fox"):gsub("%f[%a]%a+", string.lower), ("foo bar"):match("%f[%w]%w+$"))
print(("abcabc"):match("(a)(b)(c)%1%2%3"), ("\0a\0"):match("%z?a"), ("x\ny"):match("x.y") ~= nil)
--@ gsub
print(("hello"):gsub("l", "L"), ("hello"):gsub("l", "L", 1), ("hello"):gsub("", "-"), ("abc"):gsub("%w", "%0%0"), ("abc"):gsub("(a)(b)", "%2%1"))
print(("hello"):gsub("l", {l="X"}), ("hello"):gsub(".", {h=1, e=false}), ("hello"):gsub("(h)(e)", function(a, b) return b .. a end), ("x"):gsub("x", function() end))
print(("$name is $age"):gsub("%$(%w+)", {name="Bob", age=42}), ("abc"):gsub("b*", "x"), ("a,b,,c"):gsub(",", ";"))
print(pcall(string.gsub, "x", "x", "%2"), pcall(string.gsub, "x", "x", "%a"), pcall(string.gsub, "x", "x", function() return {} end))
print(("abc"):gsub("^a", "x"), ("aaa"):gsub("^a", "x"), ("abc"):gsub("$", "!"))
--@ gmatch
for k, v in ("a=1, b=2, c=3"):gmatch("(%w+)=(%w+)") do io.write(k, v, ";") end
for w in ("one two  three"):gmatch("%a+") do io.write(w, ";") end
for p in ("abc"):gmatch("()") do io.write(p, ";") end
for s in ("abc"):gmatch("", 3) do io.write("[", s, "]") end
print()
--@ malformed patterns
for _, p in ipairs{"[a", "%", "(a", "a)", "%b", "%f", "[]", "[^]", "%1", "(()", "[a-%"} do print(p, pcall(string.find, "abc", p)) end
print(pcall(string.rep, "x", -1), pcall(string.find, ("a"):rep(300), ("a?"):rep(300) .. "b"))
--@ format integers
print(string.format("[%d] [%5d] [%-5d] [%05d] [%+d] [% d] [%.3d] [%5.3d]", 42, 42, 42, 42, 42, 42, 42, 42))
print(string.format("[%x] [%X] [%#x] [%o] [%08x]", 255, 255, 255, 8, 48879), string.format("%d", 3.0), pcall(string.format, "%d", 3.5))
print(string.format("%d %x", -1, -1), string.format("%i", 7), string.format("%c%c", 72, 105), string.format("[%5c]", 65))
print(pcall(string.format, "%d", "x"), string.format("%d", "10"), pcall(string.format, "%d"))
--@ format floats
print(string.format("[%f] [%.2f] [%10.3f] [%-10.1f] [%+.1f] [%.0f] [%#.0f]", 3.14159, 3.14159, 3.14159, 3.14159, 3.14159, 2.5, 2.5))
print(string.format("[%e] [%.2e] [%E] [%g] [%g] [%g] [%.3g] [%#g] [%G]", 12345.678, 12345.678, 0.00012, 1e20, 0.0001, 100000, 2.0, 1.5, 1e-10))
print(string.format("%a %a %A %.2a", 1, 0.5, 255.5, 3.14159), string.format("%5.1f|%-8.2e|", 1/0, 12.5), string.format("%f", -1/0))
print(string.format("%.14g %.17g %.3f", 0.1, 0.1, 2/3), string.format("%10.4s|%-6s|%.2s", "abcdefgh", "ab", "xyz"))
--@ format strings
print(string.format("%s %s %s %s", nil, true, 12, {} ~= nil), string.format("%q", 'a "quoted"\n\\ \0 \1\0011 \r\t'), string.format("%%"))
print(string.format("%q %q %q %q", 1, 1.5, math.mininteger, true), string.format("%q", 1/3), string.format("%q", 1/0))
print(pcall(string.format, "%y", 1), pcall(string.format, "%", 1), pcall(string.format, "%s"), pcall(string.format, "%123d", 1), pcall(string.format, "%q", {}))
print(string.format("%s", setmetatable({}, {__tostring = function() return "custom" end})), string.format("%-5s|%5s|", "a", "b"))
--@ comparison
print("a" < "b", "a" < "B", "" < "a", "abc" < "abd", "Z" < "a", "a\0b" < "a\0c", "10" < "9", "a" <= "a", "b" > "a")
print(pcall(function() return 1 < "2" end), pcall(function() return {} < {} end), pcall(function() return nil < 1 end))
--@ concatenation
print("a" .. 1 .. 2.0 .. "b", 1 .. "", -0.0 .. "", 2^63 .. "")
print(pcall(function() return "a" .. nil end), pcall(function() return "a" .. {} end), pcall(function() local t = {} return t.x .. "b" end))
local s = "" for i = 1, 100 do s = s .. i .. "," end print(#s, s:sub(-10))
--@ pack and unpack
print(string.pack("<i4", 100):byte(1, -1)) print(string.pack(">I2", 258):byte(1, -1))
print(string.unpack("<i4", string.pack("<i4", -2)), string.unpack("z", "hello\0rest"), string.unpack("s1", "\5hello"))
print(string.unpack("<d", string.pack("<d", 3.25)), string.unpack("<f", string.pack("<f", 0.5)), string.packsize("i4i8"), string.packsize("!8i4i8"))
print(string.unpack("<i3", "\255\255\255"), string.unpack("<I3", "\255\255\255"), string.unpack("<i16", string.pack("<i16", -5)))
print(pcall(string.pack, "i1", 200), pcall(string.unpack, "i4", "abc"), pcall(string.pack, "i17", 1), pcall(string.packsize, "s"), pcall(string.pack, "y", 1))
print(#string.pack("!4 i1 i4 Xi8 x", 1, 2), string.unpack("c3", "abcdef", 2), string.pack("c5", "ab"):byte(1, -1))
--@ utf8
print(utf8.char(72, 228, 8364, 128512), utf8.len("häß€"), utf8.len("\xff"), #utf8.char(0x7FFFFFFF))
for p, c in utf8.codes("aé€") do io.write(p, ":", c, " ") end print()
print(utf8.codepoint("aé€", 1, -1)) print(utf8.offset("aé€", 3), utf8.offset("aé€", -1), utf8.offset("abc", 0, 2), utf8.offset("abc", 5))
print(pcall(utf8.codepoint, "\xff"), pcall(utf8.len, "abc", 10), utf8.len("abc", 4), pcall(utf8.char, -1), utf8.charpattern == "[\0-\x7F\xC2-\xFD][\x80-\xBF]*")
print(utf8.len("\u{D800}"), utf8.len("\u{D800}", 1, -1, true), pcall(function() for _ in utf8.codes("a\xff") do end end))
--@ methods on literals
print(("%d items"):format(3), #("abc"):rep(2), ("x").y, pcall(function() return ("x").y.z end))
