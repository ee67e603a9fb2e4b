-- @noindex
-- Makes a new item at the edit cursor from words, after the selected item, or after both.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local form = require("form")
local operations = require("operations")
local settings = require("settings")
local tasks = require("tasks")
local whereabouts = require("whereabouts")

local TITLE = "Retake: Generate sound at edit cursor"

-- Let a task's sound be like the selected item; a sentence when that cannot be.
local function makeLike(project, task)
  local item = reaper.GetSelectedMediaItem(project, 0)
  if not item then return "no item is selected that the sound could be like" end
  local take = reaper.GetActiveTake(item)
  local recording, problem = tasks.recordingOf("like", item, take)
  if not recording then return problem end
  task.recordings[1] = recording
  task.record.like = { item = whereabouts.itemGuid(item), take = whereabouts.takeGuid(take) }
end

local function generate(answers, project)
  local request = settings.complete({ operation = "generate", prompt = answers.prompt })
  if answers.like == "no" then request.like_weight = nil end
  request.seed = settings.chooseSeed(answers.seed)
  local track = reaper.GetSelectedTrack(project, 0) or reaper.GetTrack(project, 0)
  local task = tasks.forPlace(track, reaper.GetCursorPositionEx(project), request)
  local problem
  if answers.like == "yes" then problem = makeLike(project, task) end
  if answers.like == "no" and answers.prompt == "" then problem = "a few words are needed, such as “heavy rain”" end
  if problem then return {}, { task.name .. ": " .. problem .. "." } end
  return { task }, {}
end

form.ask(TITLE, operations.dialog("generate"), function(answers)
  local project = action.project()
  action.run(TITLE, project, generate(answers, project))
end)
