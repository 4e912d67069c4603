-- Tasks with queues of packets, in classes: method calls and lists.
local size = tonumber((...)) or 10
local Task = {}
Task.__index = Task
function Task.new(id, priority, work)
  return setmetatable({ id = id, priority = priority, work = work, queue = {}, head = 1, tail = 0, held = false, runs = 0 }, Task)
end
function Task:push(packet)
  self.tail = self.tail + 1
  self.queue[self.tail] = packet
end
function Task:pop()
  if self.head > self.tail then return nil end
  local packet = self.queue[self.head]
  self.queue[self.head] = nil
  self.head = self.head + 1
  return packet
end
function Task:isReady() return not self.held and self.head <= self.tail end
function Task:run(scheduler)
  self.runs = self.runs + 1
  local packet = self:pop()
  if packet then self.work(self, packet, scheduler) end
end
local Scheduler = {}
Scheduler.__index = Scheduler
function Scheduler.new() return setmetatable({ tasks = {}, count = 0, handled = 0 }, Scheduler) end
function Scheduler:add(task)
  self.count = self.count + 1
  self.tasks[self.count] = task
  return task
end
function Scheduler:next()
  local best
  for i = 1, self.count do
    local task = self.tasks[i]
    if task:isReady() and (not best or task.priority > best.priority) then best = task end
  end
  return best
end
function Scheduler:send(id, packet) self.tasks[id]:push(packet) end
function Scheduler:loop(limit)
  while self.handled < limit do
    local task = self:next()
    if not task then break end
    task:run(self)
    self.handled = self.handled + 1
  end
end
local scheduler = Scheduler.new()
local function worker(task, packet, s)
  packet.hops = packet.hops + 1
  packet.data[packet.hops % 4 + 1] = packet.hops
  s:send(packet.hops % s.count + 1, packet)
end
local function device(task, packet, s)
  packet.hops = packet.hops + 1
  s:send((task.id + packet.kind) % s.count + 1, packet)
end
for i = 1, 6 do scheduler:add(Task.new(i, i * 10 % 7, i % 2 == 0 and worker or device)) end
for i = 1, 12 do scheduler:send(i % 6 + 1, { kind = i % 3, hops = 0, data = { 0, 0, 0, 0 } }) end
scheduler:loop(200000 * size)
local out = {}
for i = 1, 6 do out[i] = scheduler.tasks[i].runs end
print(scheduler.handled, table.concat(out, " "))
