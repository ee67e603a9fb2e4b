-- @noindex
-- Makes a new item at the edit cursor from words, after the selected item, or after both; or a new take of the selected
-- item, as long as it, that follows how it moves.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local form = require("form")
local operations = require("operations")
local settings = require("settings")
local tasks = require("tasks")

local TITLE = "Retake: Generate sound at edit cursor"

local NEEDS_ITEM = {
  like = "no item is selected that the sound could be like",
  follow = "no item is selected that the sound could follow",
}

-- Where the sound goes: into the item that it follows, else to the edit cursor.
local function taskFor(item, isFollowing, project, request)
  if item and isFollowing then
    request.seconds = reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
    return tasks.forGenerated(item, request)
  end
  local track = reaper.GetSelectedTrack(project, 0) or reaper.GetTrack(project, 0)
  return tasks.forPlace(track, reaper.GetCursorPositionEx(project), request)
end

-- Give a task the selected item where an answer wants it; a sentence when that cannot be.
local function useItem(task, answers, item)
  for _, argument in ipairs({ "like", "follow" }) do
    if answers[argument] == "yes" then
      if not item then return NEEDS_ITEM[argument] end
      local problem = tasks.useItem(task, argument, item, reaper.GetActiveTake(item))
      if problem then return problem end
    end
  end
  if answers.like == "no" and answers.prompt == "" then return "a few words are needed, such as “heavy rain”" end
end

local function generate(answers, project)
  local request = settings.complete({ operation = "generate", prompt = answers.prompt })
  if answers.like == "no" then request.like_weight = nil end
  if answers.follow == "no" then request.follow_what = nil end
  request.seed = settings.chooseSeed(answers.seed)
  local item = reaper.GetSelectedMediaItem(project, 0)
  local task = taskFor(item, answers.follow == "yes", project, request)
  local problem = useItem(task, answers, item)
  if problem then return {}, { task.name .. ": " .. problem .. "." } end
  return { task }, {}
end

form.ask(TITLE, operations.dialog("generate"), function(answers)
  local project = action.project()
  action.run(TITLE, project, generate(answers, project))
end)
