-- Compression by a dictionary of sequences, and back.
local size = tonumber((...)) or 6
local function compress(text)
  local codes, size, out, current = {}, 256, {}, ""
  for i = 0, 255 do codes[string.char(i)] = i end
  for i = 1, #text do
    local char = text:sub(i, i)
    local longer = current .. char
    if codes[longer] then
      current = longer
    else
      out[#out + 1] = codes[current]
      codes[longer] = size
      size = size + 1
      current = char
    end
  end
  out[#out + 1] = codes[current]
  return out
end
local function expand(codes)
  local words, size, out = {}, 256, {}
  for i = 0, 255 do words[i] = string.char(i) end
  local before = words[codes[1]]
  out[1] = before
  for i = 2, #codes do
    local word = words[codes[i]] or before .. before:sub(1, 1)
    out[#out + 1] = word
    words[size] = before .. word:sub(1, 1)
    size = size + 1
    before = word
  end
  return table.concat(out)
end
local parts = {}
for i = 1, 60000 * size do parts[i] = "the " .. i % 97 .. " quick " .. i % 13 end
local text = table.concat(parts)
local codes = compress(text)
print(#text, #codes, expand(codes) == text)
