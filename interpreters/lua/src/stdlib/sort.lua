-- Sorting with a comparison, for `table.sort`: quicksort, heapsort where that degenerates. True if the comparison contradicts itself.
-- Written in the language so that the comparison becomes part of the loops that call it.

local function sift(list, less, low, root, count)
  while root * 2 + 1 < count do
    local child = root * 2 + 1
    if child + 1 < count and less(list[low + child], list[low + child + 1]) then child = child + 1 end
    if not less(list[low + root], list[low + child]) then return end
    list[low + root], list[low + child] = list[low + child], list[low + root]
    root = child
  end
end

local function heap_sort(list, less, low, high)
  local count = high - low + 1
  for root = count // 2 - 1, 0, -1 do sift(list, less, low, root, count) end
  for last = count - 1, 1, -1 do
    list[low], list[low + last] = list[low + last], list[low]
    sift(list, less, low, 0, last)
  end
end

local function sort(list, less, low, high, depth)
  while high - low >= 3 do
    if depth == 0 then return heap_sort(list, less, low, high) end
    depth = depth - 1
    local pivot, left, right = list[(low + high) // 2], low, high
    repeat
      while less(list[left], pivot) do
        left = left + 1
        if left > high then return true end
      end
      while less(pivot, list[right]) do
        right = right - 1
        if right < low then return true end
      end
      if left <= right then
        list[left], list[right] = list[right], list[left]
        left, right = left + 1, right - 1
      end
    until left > right
    if right - low < high - left then
      if sort(list, less, low, right, depth) then return true end
      low = left
    else
      if sort(list, less, left, high, depth) then return true end
      high = right
    end
  end
  for index = low + 1, high do
    local value, place = list[index], index - 1
    while place >= low do
      local other = list[place]
      if not less(value, other) then break end
      list[place + 1] = other
      place = place - 1
    end
    list[place + 1] = value
  end
end

return sort
