-- @noindex
-- Runs the tasks of an action, a moment each tick, and puts all results into the project in the end, as one undo step.

local jobs = require("jobs")
local placement = require("placement")
local progress = require("progress")
local work = require("work")

local action = {}

local function report(run, problems)
  local lines, isListed = {}, {}
  local function add(line)
    if not isListed[line] then lines[#lines + 1] = line end
    isListed[line] = true
  end
  for _, line in ipairs(run.refused) do add(line) end
  for _, task in ipairs(run.tasks) do
    if task.problem then add(task.name .. ": " .. task.problem) end
    for _, warning in ipairs(task.warnings or {}) do add(warning) end
  end
  for _, line in ipairs(problems) do add(line) end
  if #lines > 0 then reaper.ShowMessageBox(table.concat(lines, "\n\n"), run.title, 0) end
end

local function finish(run)
  run.window:close()
  local outcomes = {}
  for _, task in ipairs(run.tasks) do
    if task.paths then outcomes[#outcomes + 1] = { task = task, paths = task.paths } end
  end
  local problems = {}
  if #outcomes > 0 then problems = placement.place(run.project, run.title, outcomes) end
  report(run, problems)
end

-- The first task for which isDone(task) does not hold, and its number.
local function findNext(run, isDone)
  for index, task in ipairs(run.tasks) do
    if not isDone(task) then return task, index end
  end
end

local function isOver(task)
  return task.isOver
end

-- The task to go on with: all audio is read before the first request, so that later edits change nothing.
local function nextTask(run)
  local task, index = findNext(run, work.isRead)
  if task then return task, index end
  return findNext(run, isOver)
end

local function goOn(run, task)
  if run.isCancelled or not jobs.isWanted(task.job) then
    run.isCancelled = true
    work.cancel(task)
  elseif not work.isRead(task) then
    work.read(task, run.project)
  elseif task.conversation then
    work.listen(task)
  else
    work.ask(task, run.folder)
  end
end

local function showProgress(run, task, index)
  local count = #run.tasks > 1 and string.format(" (%d of %d)", index, #run.tasks) or ""
  local sum = 0
  for _, each in ipairs(run.tasks) do sum = sum + each.fraction end
  return run.window:show(task.name .. count, task.stage, sum / #run.tasks)
end

local function tick(run)
  local task, index = nextTask(run)
  if not task then return finish(run) end
  if showProgress(run, task, index) then run.isCancelled = true end
  goOn(run, task)
  reaper.defer(function() tick(run) end)
end

local function abandon(run)
  for _, task in ipairs(run.tasks) do
    if not task.isOver then work.abandon(task) end
  end
end

-- The folder for results: where the project records to, or REAPER's own folder for projects that are not saved.
local function resultFolder(project)
  local folder = reaper.GetProjectPathEx(project)
  return folder ~= "" and folder or reaper.GetProjectPath()
end

-- Carry out tasks under the name of their undo step; `refused` are sentences about what cannot be done.
function action.run(title, project, tasks, refused)
  if #tasks == 0 then
    if #refused > 0 then reaper.ShowMessageBox(table.concat(refused, "\n\n"), title, 0) end
    return
  end
  local run = { title = title, project = project, folder = resultFolder(project), tasks = tasks, refused = refused }
  for _, task in ipairs(tasks) do work.prepare(task, project) end
  run.window = progress.open(title)
  reaper.atexit(function() abandon(run) end)
  tick(run)
end

-- The project in view.
function action.project()
  local project = reaper.EnumProjects(-1)
  return project
end

-- Whether items are selected; a message says so when none are.
function action.hasSelection(title, project)
  if reaper.CountSelectedMediaItems(project) > 0 then return true end
  reaper.ShowMessageBox("No item is selected. Select one or more audio items first.", title, 0)
  return false
end

return action
