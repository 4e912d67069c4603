-- Rays and spheres: vectors as tables.
local size = tonumber((...)) or 14
local function vector(x, y, z) return { x = x, y = y, z = z } end
local function dot(a, b) return a.x * b.x + a.y * b.y + a.z * b.z end
local function subtract(a, b) return vector(a.x - b.x, a.y - b.y, a.z - b.z) end
local function scale(a, s) return vector(a.x * s, a.y * s, a.z * s) end
local function add(a, b) return vector(a.x + b.x, a.y + b.y, a.z + b.z) end
local function unit(a) return scale(a, 1 / math.sqrt(dot(a, a))) end
local spheres = {}
for i = 1, 8 do
  spheres[i] = { center = vector(math.sin(i) * 3, math.cos(i * 2) * 2, 8 + i % 3), radius = 0.7 + i % 3 * 0.3, shine = i % 2 * 0.4 }
end
local light = unit(vector(-1, 1, -1))
local function hit(origin, direction)
  local best, nearest
  for i = 1, #spheres do
    local sphere = spheres[i]
    local to = subtract(sphere.center, origin)
    local along = dot(to, direction)
    local gap = sphere.radius * sphere.radius - dot(to, to) + along * along
    if gap > 0 then
      local distance = along - math.sqrt(gap)
      if distance > 0.001 and (not nearest or distance < nearest) then best, nearest = sphere, distance end
    end
  end
  return best, nearest
end
local function trace(origin, direction, depth)
  local sphere, distance = hit(origin, direction)
  if not sphere then return 0.1 + 0.1 * direction.y end
  local point = add(origin, scale(direction, distance))
  local normal = unit(subtract(point, sphere.center))
  local brightness = math.max(0, dot(normal, light))
  if brightness > 0 and hit(point, light) then brightness = 0 end
  if depth > 0 and sphere.shine > 0 then
    local mirrored = subtract(direction, scale(normal, 2 * dot(direction, normal)))
    brightness = brightness + sphere.shine * trace(point, mirrored, depth - 1)
  end
  return brightness
end
local total = 0
for step = 1, 160 * size do
  local y = (step - 1) % 160 + 1
  for x = 1, 160 do
    total = total + trace(vector(0, 0, 0), unit(vector((x - 80) / 80, (80 - y) / 80, 1.5)), 2)
  end
end
print(string.format("%.6f", total))
