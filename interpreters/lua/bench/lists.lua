-- Linked lists on the heap.
local size = tonumber((...)) or 10
local function cons(head, tail) return { head = head, tail = tail } end
local function build(n)
  local list
  for i = n, 1, -1 do list = cons(i, list) end
  return list
end
local function reverse(list)
  local out
  while list do
    out = cons(list.head, out)
    list = list.tail
  end
  return out
end
local function sum(list)
  local total = 0
  while list do
    total = total + list.head
    list = list.tail
  end
  return total
end
local total = 0
for i = 1, 10 * size do total = total + sum(reverse(build(50000))) end
print(total)
