-- Planets that attract each other: fields of floats.
local size = tonumber((...)) or 10
local function body(x, y, z, vx, vy, vz, mass)
  return { x = x, y = y, z = z, vx = vx, vy = vy, vz = vz, mass = mass }
end
local bodies = {
  body(0, 0, 0, 0, 0, 0, 39.5),
  body(4.84, -1.16, -0.10, 0.61, 2.81, -0.02, 0.038),
  body(8.34, 4.12, -0.40, -1.01, 1.82, 0.008, 0.011),
  body(12.89, -15.11, -0.22, 1.08, 0.87, -0.01, 0.0017),
  body(15.38, -25.92, 0.18, 0.98, 0.59, -0.03, 0.002),
}
local function advance(dt)
  local n = #bodies
  for i = 1, n do
    local a = bodies[i]
    for j = i + 1, n do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      local square = dx * dx + dy * dy + dz * dz
      local force = dt / (square * math.sqrt(square))
      local mb, ma = b.mass * force, a.mass * force
      a.vx = a.vx - dx * mb
      a.vy = a.vy - dy * mb
      a.vz = a.vz - dz * mb
      b.vx = b.vx + dx * ma
      b.vy = b.vy + dy * ma
      b.vz = b.vz + dz * ma
    end
  end
  for i = 1, n do
    local b = bodies[i]
    b.x = b.x + dt * b.vx
    b.y = b.y + dt * b.vy
    b.z = b.z + dt * b.vz
  end
end
for _ = 1, 50000 * size do advance(0.001) end
print(string.format("%.9f %.9f", bodies[1].x, bodies[5].vz))
