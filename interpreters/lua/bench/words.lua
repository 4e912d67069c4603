-- Counting words: tables as dictionaries.
local size = tonumber((...)) or 10
local seed, words = 7, {}
for i = 1, 300000 do
  seed = (seed * 1103515245 + 12345) % 2147483648
  words[i] = "w" .. seed % 5000
end
local counts = {}
for _ = 1, 10 * size do
  for i = 1, #words do
    local word = words[i]
    counts[word] = (counts[word] or 0) + 1
  end
end
local list = {}
for word, count in pairs(counts) do list[#list + 1] = { word = word, count = count } end
table.sort(list, function(a, b) return a.count > b.count or a.count == b.count and a.word < b.word end)
print(#list, list[1].word, list[1].count)
