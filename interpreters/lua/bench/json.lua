-- Texts of nested data, written and read.
local size = tonumber((...)) or 6
local function encode(value, out)
  local kind = type(value)
  if kind == "table" then
    if #value > 0 then
      out[#out + 1] = "["
      for i = 1, #value do
        if i > 1 then out[#out + 1] = "," end
        encode(value[i], out)
      end
      out[#out + 1] = "]"
    else
      local keys = {}
      for key in pairs(value) do keys[#keys + 1] = key end
      table.sort(keys)
      out[#out + 1] = "{"
      for i, key in ipairs(keys) do
        if i > 1 then out[#out + 1] = "," end
        out[#out + 1] = '"' .. key .. '":'
        encode(value[key], out)
      end
      out[#out + 1] = "}"
    end
  elseif kind == "string" then
    out[#out + 1] = '"' .. value:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
  else
    out[#out + 1] = tostring(value)
  end
end
local decode
local function skip(text, at) return text:find("%S", at) or #text + 1 end
function decode(text, at)
  at = skip(text, at)
  local byte = text:byte(at)
  if byte == 123 then
    local object = {}
    at = skip(text, at + 1)
    while text:byte(at) ~= 125 do
      local key
      key, at = decode(text, at)
      object[key], at = decode(text, skip(text, at) + 1)
      at = skip(text, at)
      if text:byte(at) == 44 then at = skip(text, at + 1) end
    end
    return object, at + 1
  elseif byte == 91 then
    local array = {}
    at = skip(text, at + 1)
    while text:byte(at) ~= 93 do
      array[#array + 1], at = decode(text, at)
      at = skip(text, at)
      if text:byte(at) == 44 then at = skip(text, at + 1) end
    end
    return array, at + 1
  elseif byte == 34 then
    local stop = text:find('"', at + 1, true)
    return text:sub(at + 1, stop - 1), stop + 1
  end
  local word = text:match("^[%w%.%-+]+", at)
  at = at + #word
  if word == "true" then return true, at end
  if word == "false" then return false, at end
  return tonumber(word), at
end
local data = {}
for i = 1, 2000 do
  data[i] = { id = i, name = "name " .. i, tags = { "a", "b", "c" .. i }, nested = { x = i / 2, ok = i % 2 == 0 } }
end
local length, total = 0, 0
for _ = 1, 8 * size do
  local out = {}
  encode(data, out)
  local text = table.concat(out)
  local back = decode(text, 1)
  length, total = length + #text, total + back[2000].id
end
print(length, total)
