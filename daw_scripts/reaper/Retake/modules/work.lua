-- @noindex
-- One task on its way: its audio is read, its request sent, its result awaited; or it is cancelled.

local clip = require("clip")
local jobs = require("jobs")
local sender = require("sender")

local work = {}

local RECORDING_SHARE = 0.1 -- of a task's bar
local CANCEL_S = 60 -- longer than a daemon takes to start

function work.prepare(task, project)
  task.job = jobs.newName()
  task.clipPaths, task.numRead, task.fraction, task.stage = {}, 0, 0, "starting"
  jobs.add(task.job, project)
end

-- Forget what the task needed on its way; it is over then.
function work.finish(task)
  if task.recording then task.recording:close() end
  if task.conversation then task.conversation:close() end
  task.recording, task.conversation, task.isOver, task.fraction = nil, nil, true, 1
  for _, path in pairs(task.clipPaths) do os.remove(path) end
  jobs.remove(task.job)
end

function work.fail(task, problem)
  work.finish(task)
  task.problem = problem
end

function work.isRead(task)
  return task.isOver or (task.numRead == #task.recordings and not task.recording)
end

local function startReading(task, project)
  local wanted = task.recordings[task.numRead + 1]
  local path = sender.freshPath((wanted.name:gsub("%.%w+$", "")), ".wav")
  local recording, problem = clip.record(project, wanted.take, wanted.shape, path)
  if not recording then return work.fail(task, problem) end
  task.clipPaths[wanted.argument] = path
  task.recording, task.numRead = recording, task.numRead + 1
end

-- Read the audio that a task needs, for a moment.
function work.read(task, project)
  if not task.recording then return startReading(task, project) end
  local fraction, problem = task.recording:step()
  if problem then return work.fail(task, problem) end
  task.stage, task.fraction = "reading the audio", RECORDING_SHARE * fraction
  if fraction >= 1 then
    task.recording:close()
    task.recording = nil
  end
end

-- Send the request, with the paths that only this run knows.
function work.ask(task, folder)
  local request, problem = { job = task.job, output_dir = folder }, nil
  for key, value in pairs(task.record.request) do request[key] = value end
  for argument, path in pairs(task.clipPaths) do request[argument] = path end
  task.conversation, problem = sender.ask(request)
  if problem then work.fail(task, problem) end
end

local function poll(task)
  local news, problem = task.conversation:poll()
  if not news then
    work.fail(task, problem)
  elseif news.state == "done" then
    work.finish(task)
    task.paths, task.warnings = news.paths, news.warnings
  elseif news.state == "failed" then
    work.fail(task, news.error.text .. ".\n" .. news.error.hint)
  elseif news.state == "cancelled" then
    work.fail(task, "it was cancelled.")
  end
  return news
end

-- Read how the job stands.
function work.listen(task)
  local news = poll(task)
  if task.isOver then return end
  task.stage = news.stage
  task.fraction = RECORDING_SHARE + (1 - RECORDING_SHARE) * news.progress
end

-- Cancel a task, over as many calls as it needs: a job can be cancelled once the daemon has it, not before.
function work.cancel(task)
  task.stage = "cancelling"
  task.cancelledAt = task.cancelledAt or reaper.time_precise()
  if task.conversation then
    local news = poll(task)
    if not task.isOver and not task.isCancelSent and news.stage ~= "starting" then
      sender.cancel(task.job)
      task.isCancelSent = true
    end
  end
  if not task.conversation or reaper.time_precise() - task.cancelledAt > CANCEL_S then work.finish(task) end
  if task.isOver then task.problem = nil end
end

-- Cancel a task at once, because the script is being stopped.
function work.abandon(task)
  if task.conversation then sender.cancel(task.job) end
  work.finish(task)
end

return work
