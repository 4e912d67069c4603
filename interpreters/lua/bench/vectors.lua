-- Arithmetic by metamethods.
local size = tonumber((...)) or 3
local Vector = {}
Vector.__index = Vector
local function new(x, y) return setmetatable({ x = x, y = y }, Vector) end
Vector.__add = function(a, b) return new(a.x + b.x, a.y + b.y) end
Vector.__sub = function(a, b) return new(a.x - b.x, a.y - b.y) end
Vector.__mul = function(a, s) return new(a.x * s, a.y * s) end
Vector.__eq = function(a, b) return a.x == b.x and a.y == b.y end
Vector.__lt = function(a, b) return a:square() < b:square() end
Vector.__unm = function(a) return new(-a.x, -a.y) end
function Vector:square() return self.x * self.x + self.y * self.y end
local position, speed, bounces = new(0, 0), new(1, 2), 0
local limit = new(100, 100)
for _ = 1, 1000000 * size do
  position = position + speed * 0.5
  if limit < position then
    position, speed = position - speed, -speed
    bounces = bounces + 1
  end
end
print(position.x, position.y, bounces, new(1, 2) == new(1, 2))
