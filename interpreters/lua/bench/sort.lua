-- Sorting with a comparison, by the library and by hand.
local size = tonumber((...)) or 10
local seed = 42
local function random()
  seed = (seed * 16807) % 2147483647
  return seed
end
local function records(n)
  local list = {}
  for i = 1, n do list[i] = { key = random() % 100000, index = i } end
  return list
end
local function less(a, b)
  if a.key ~= b.key then return a.key < b.key end
  return a.index < b.index
end
local a = records(20000 * size)
table.sort(a, less)
local function quicksort(t, low, high)
  while low < high do
    local pivot, i, j = t[(low + high) // 2], low, high
    repeat
      while less(t[i], pivot) do i = i + 1 end
      while less(pivot, t[j]) do j = j - 1 end
      if i <= j then
        t[i], t[j] = t[j], t[i]
        i, j = i + 1, j - 1
      end
    until i > j
    if j - low < high - i then
      quicksort(t, low, j)
      low = i
    else
      quicksort(t, i, high)
      high = j
    end
  end
end
local b = records(20000 * size)
quicksort(b, 1, #b)
print(a[1].key, a[#a].key, b[1].key, b[#b].key)
