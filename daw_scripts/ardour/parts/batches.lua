-- Remembers in the session which jobs of which action are under way, and what waits for them.

local folders = require("folders")
local sender = require("sender")

local batches = {}

local function path()
  return folders.join(folders.ofSession(), "pending.json")
end

-- The batches under way, by id: { title, askedAt, values, keeper, jobs = { { job, request, place }, … } }.
function batches.pending()
  local known = folders.readValue(path())
  return type(known) == "table" and known or {}
end

local function change(id, batch)
  local all = batches.pending()
  all[id] = batch
  if next(all) then folders.writeValue(path(), all) else os.remove(path()) end
end

-- Send the jobs of an action; one after the other they will be done.
function batches.start(batch)
  batch.id, batch.askedAt = sender.freshJob(), os.time()
  for number, job in ipairs(batch.jobs) do
    job.job = batch.id .. "-" .. number
    sender.ask(job.job, job.request)
  end
  change(batch.id, batch)
  folders.writeValue(folders.join(folders.ofSession(), "last.json"), batch)
  return batch
end

-- What was asked for last in this session.
function batches.last()
  return folders.readValue(folders.join(folders.ofSession(), "last.json"))
end

-- Record what waits for a batch: the window of its action, or the collector.
function batches.keep(batch, keeper)
  batch.keeper = keeper
  change(batch.id, batch)
end

-- What waits for a batch; nil when nothing does yet, and "gone" when it is over or was cancelled.
function batches.keeper(id)
  local batch = batches.pending()[id]
  if not batch then return "gone" end
  return batch.keeper
end

-- How a batch stands: its jobs' news, whether all are over, and how far it is.
function batches.news(batch)
  local all = { isOver = true, progress = 0, stage = "queued", jobs = {} }
  for number, job in ipairs(batch.jobs) do
    local news = sender.news(job.job, batch.askedAt)
    all.jobs[number] = news
    all.isOver = all.isOver and news.isOver
    all.progress = all.progress + (news.isOver and 1 or news.progress) / #batch.jobs
    if news.state == "running" or #batch.jobs == 1 then all.stage = news.stage or news.state end
  end
  return all
end

function batches.cancel(batch)
  for _, job in ipairs(batch.jobs) do sender.cancel(job.job) end
end

function batches.finish(batch)
  for _, job in ipairs(batch.jobs) do sender.forget(job.job) end
  change(batch.id, nil)
end

return batches
