-- @noindex
-- Repeats what Retake did last with each selected item, with the next seed; also long after, in a project opened again.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local memory = require("memory")
local settings = require("settings")
local tasks = require("tasks")
local whereabouts = require("whereabouts")

local TITLE = "Retake: Again with a new seed"
local GONE = "the take that it was made of is gone"
local SOUND_GONE = {
  like = "the item that it should be like is gone",
  follow = "the item that it follows is gone",
}

-- The part that was worked on, where it lies now that the item may be trimmed; a sentence when it is cut off.
local function movePart(request, item, take, source)
  if not request.start_s then return end
  local drift = (reaper.GetMediaItemTakeInfo_Value(take, "D_STARTOFFS") - source.offset) / source.playrate
  request.start_s = math.max(request.start_s - drift, 0)
  request.end_s = math.min(request.end_s - drift, reaper.GetMediaItemInfo_Value(item, "D_LENGTH"))
  if request.start_s >= request.end_s then return "the part that was worked on is cut off" end
end

local function repeatWithTake(item, record)
  local take = memory.findSource(item, record)
  if not take then return nil, GONE end
  local problem = movePart(record.request, item, take, record.source)
  if problem then return nil, problem end
  return tasks.forTake(item, take, record.request)
end

local function repeatGenerated(project, item, record)
  local task = tasks.forGenerated(item, record.request)
  for argument, gone in pairs(SOUND_GONE) do
    local sound = record[argument]
    if sound then
      local other = whereabouts.findItem(project, sound.item)
      local take = other and whereabouts.findTake(other, sound.take)
      local problem = not take and gone or tasks.useItem(task, argument, other, take)
      if problem then return nil, problem end
    end
  end
  return task
end

local function again(project, item)
  local record = memory.ofItem(item)
  if not record then return nil, "Retake has made nothing of it yet; start with another action" end
  local request = record.request
  request.seed = settings.nextSeed(memory.highestSeed(item, request.operation, request.seed))
  if request.operation == "generate" then return repeatGenerated(project, item, record) end
  return repeatWithTake(item, record)
end

local project = action.project()
if action.hasSelection(TITLE, project) then
  action.run(TITLE, project, tasks.ofSelection(project, function(item) return again(project, item) end))
end
