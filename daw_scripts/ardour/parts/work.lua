-- From an action's targets to takes in the session: exports, sends, and waits in a window that can cancel.

local batches = require("batches")
local clip = require("clip")
local folders = require("folders")
local form = require("form")
local placement = require("placement")
local regions = require("regions")

local work = {}

local PAUSE_US = 40000
local COLLECTOR_S = 1 -- a collector that is set up takes a batch over within this time
local FAREWELL_S = 2 -- time to read that there is no need to wait
local FAREWELL = "You can keep working; the takes will be placed when they are ready."

local function inSeconds(samples)
  return samples / Session:nominal_sample_rate()
end

-- The name of a take in the session: what was asked for. Without a point: Ardour counts copies after the last one, and of
-- a strength of 0.50 it would make 0.51.
function work.takeName(operation, values, label)
  local words = (values.prompt ~= "" and values.prompt or label):sub(1, 60)
  local _, brokenAt = utf8.len(words)
  if brokenAt then words = words:sub(1, brokenAt - 1) end
  local how = values.strength and string.format("%s %.0f %%", operation, 100 * values.strength) or operation
  return string.format("%s (%s, seed %d)", words, how, values.seed)
end

local function common(operation, values)
  local request = { operation = operation, seed = values.seed, output_dir = placement.outputFolder() }
  for key, value in pairs(values.request) do request[key] = value end
  request.prompt, request.seed = values.prompt, values.seed
  return request
end

-- The job of a target: a region, or a part of one, that gets a new take. A sound that is generated follows the region,
-- and is then as long as it: a length is not asked for.
local function regionJob(operation, target, values, onBlock)
  local request, region = common(operation, values), target.region
  request[operation == "generate" and "follow" or "clip"] = clip.export(region, onBlock)
  request.seconds = nil
  if operation == "inpaint" then
    request.start_s, request.end_s = inSeconds(target.from), inSeconds(target.to)
  end
  local place = {
    region = regions.id(region),
    track = regions.id(target.track),
    source = regions.id(region:source(0)),
    start = region:start():samples(),
    position = region:position():samples(),
    label = region:name(),
    name = work.takeName(operation, values, region:name()),
  }
  return { request = request, place = place }
end

-- The jobs of several targets; a long region is exported under a progress window. Nil when that was cancelled.
function work.regionJobs(title, operation, targets, values)
  local jobs, window = {}, LuaDialog.ProgressWindow(title, true)
  for number, target in ipairs(targets) do
    jobs[number] = regionJob(operation, target, values, function(fraction)
      window:progress((number - 1 + fraction) / #targets, "Reading " .. target.region:name())
    end)
    if window:canceled() then jobs = nil break end
  end
  window:done()
  return jobs
end

function work.generateJob(values, position, track)
  local request = common("generate", values)
  request.follow_what = nil
  local place = { position = position, label = values.prompt, name = work.takeName("generate", values, "sound") }
  if track then place.track = regions.id(track) else place.isNewTrack = true end
  return { request = request, place = place }
end

-- Show for a moment that the collector does the rest.
local function bidFarewell(window, news)
  for _ = 1, FAREWELL_S * 1000000 // PAUSE_US do
    window:progress(math.min(news.progress, 0.99), FAREWELL)
    ARDOUR.LuaAPI.usleep(PAUSE_US)
    if window:canceled() then return end
  end
end

-- Show the progress until all jobs are over, the collector takes them over, or the musician cancels.
local function follow(batch)
  local window, news, keeper = LuaDialog.ProgressWindow(batch.title, true), nil, nil
  local patience = COLLECTOR_S * 1000000 // PAUSE_US
  repeat
    news = batches.news(batch)
    window:progress(math.min(news.progress, 0.99), news.stage) -- meanwhile the collector may look, too
    ARDOUR.LuaAPI.usleep(PAUSE_US)
    patience = patience - 1
    keeper = batches.keeper(batch.id)
    if not keeper and patience <= 0 then batches.keep(batch, "window") end
  until news.isOver or window:canceled() or keeper == "collector" or keeper == "gone"
  if keeper == "collector" then bidFarewell(window, news) end
  local isCancelled = window:canceled()
  window:done()
  return news, isCancelled, keeper == "collector" or keeper == "gone"
end

-- Send the jobs, wait for their takes and place them.
function work.run(title, jobs, values)
  folders.make(folders.ofSession())
  local batch = batches.start({ title = title, jobs = jobs, values = values })
  local news, isCancelled, isElsewhere = follow(batch)
  if isCancelled then batches.cancel(batch) end
  if isElsewhere and not isCancelled then return end
  batches.finish(batch)
  if not isCancelled then placement.place(batch, news) end
end

-- Send what was asked for last once more, with another seed.
function work.repeatLast(title, last)
  local values = last.values
  values.seed = form.otherSeed(values.seed, values.isRandom)
  for _, job in ipairs(last.jobs) do
    job.request.seed = values.seed
    job.place.name = work.takeName(job.request.operation, values, job.place.label)
  end
  work.run(title, last.jobs, values)
end

return work
