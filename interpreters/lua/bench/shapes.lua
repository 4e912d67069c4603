-- Calls of methods of several classes at one place.
local size = tonumber((...)) or 4
local function class(base)
  local c = setmetatable({}, { __index = base })
  c.__index = c
  return c
end
local Shape = class()
function Shape:scaled(by) return self:area() * by end
local Circle, Square, Triangle, Ring = class(Shape), class(Shape), class(Shape), class(Shape)
function Circle:area() return 3 * self.radius * self.radius end
function Square:area() return self.side * self.side end
function Triangle:area() return self.base * self.height / 2 end
function Ring:area() return self.outer:area() - self.inner:area() end
local shapes = {}
for i = 1, 1000 do
  local kind = i % 4
  if kind == 0 then shapes[i] = setmetatable({ radius = i }, Circle)
  elseif kind == 1 then shapes[i] = setmetatable({ side = i }, Square)
  elseif kind == 2 then shapes[i] = setmetatable({ base = i, height = 2 }, Triangle)
  else shapes[i] = setmetatable({ outer = setmetatable({ radius = i }, Circle), inner = setmetatable({ side = 1 }, Square) }, Ring) end
end
local total = 0
for _ = 1, 3000 * size do
  for i = 1, #shapes do total = total + shapes[i]:scaled(0.5) end
end
print(total)
