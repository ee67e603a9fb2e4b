-- @noindex
-- What is to be done with each selected item: a request, the audio it needs, and where its result belongs.

local clip = require("clip")
local whereabouts = require("whereabouts")

local tasks = {}

local TAKE_LOOK = { "D_VOL", "D_PAN", "D_PANLAW", "B_PPITCH" } -- the audio is read before these: they go on as they are
local ITEM_LOOK = { "D_VOL", "D_FADEINLEN", "D_FADEOUTLEN" }

local function lookAt(getValue, thing, fields)
  local look = {}
  for _, field in ipairs(fields) do look[field] = getValue(thing, field) end
  return look
end

function tasks.nameItem(item)
  local take = reaper.GetActiveTake(item)
  local name = take and reaper.GetTakeName(take) or ""
  return name ~= "" and name or string.format("the item at %.2f s", reaper.GetMediaItemInfo_Value(item, "D_POSITION"))
end

-- Where the result of an item belongs.
local function locate(item)
  return {
    name = tasks.nameItem(item),
    itemGuid = whereabouts.itemGuid(item),
    trackGuid = reaper.GetTrackGUID(reaper.GetMediaItem_Track(item)),
    position = reaper.GetMediaItemInfo_Value(item, "D_POSITION"),
    length = reaper.GetMediaItemInfo_Value(item, "D_LENGTH"),
    itemLook = lookAt(reaper.GetMediaItemInfo_Value, item, ITEM_LOOK),
    takeLook = {},
    recordings = {},
  }
end

-- The audio of a take for the argument of a request: "clip", "like" or "follow".
function tasks.recordingOf(argument, item, take)
  local shape, problem = clip.measure(item, take)
  if not shape then return nil, problem end
  return { argument = argument, take = take, shape = shape, name = reaper.GetTakeName(take) }
end

-- Give a task the audio of an item's take for an argument, and remember which it was; a sentence if that cannot be.
function tasks.useItem(task, argument, item, take)
  local recording, problem = tasks.recordingOf(argument, item, take)
  if not recording then return problem end
  task.recordings[#task.recordings + 1] = recording
  task.record[argument] = { item = whereabouts.itemGuid(item), take = whereabouts.takeGuid(take) }
end

-- A task that works on a take of an item; nil and a sentence when that cannot be.
function tasks.forTake(item, take, request)
  local recording, problem = tasks.recordingOf("clip", item, take)
  if not recording then return nil, problem end
  local task = locate(item)
  task.recordings[1] = recording
  task.file = whereabouts.fileOf(take)
  task.takeLook = lookAt(reaper.GetMediaItemTakeInfo_Value, take, TAKE_LOOK)
  task.record = {
    request = request,
    source = {
      take = whereabouts.takeGuid(take),
      offset = reaper.GetMediaItemTakeInfo_Value(take, "D_STARTOFFS"),
      playrate = reaper.GetMediaItemTakeInfo_Value(take, "D_PLAYRATE"),
    },
  }
  return task
end

-- A task that adds a generated sound to an item: that of an earlier one, or of the clip that it follows.
function tasks.forGenerated(item, request)
  local task = locate(item)
  local source = { take = whereabouts.takeGuid(reaper.GetActiveTake(item)), offset = 0, playrate = 1 }
  task.record = { request = request, source = source }
  return task
end

-- A task that makes a new item on a track, or on a new track where there is none.
function tasks.forPlace(track, position, request)
  return {
    name = request.prompt ~= "" and request.prompt or "the new sound",
    trackGuid = track and reaper.GetTrackGUID(track) or nil,
    position = position,
    length = request.seconds,
    itemLook = {},
    takeLook = {},
    recordings = {},
    record = { request = request },
  }
end

-- Tasks for all selected items by makeTask(item) -> task, or nil and a sentence; then all those sentences.
function tasks.ofSelection(project, makeTask)
  local made, refused = {}, {}
  for index = 0, reaper.CountSelectedMediaItems(project) - 1 do
    local item = reaper.GetSelectedMediaItem(project, index)
    local task, problem = makeTask(item)
    if task then
      made[#made + 1] = task
    else
      refused[#refused + 1] = tasks.nameItem(item) .. ": " .. problem .. "."
    end
  end
  return made, refused
end

-- The time selection inside an item, in seconds from its start; nil and a sentence when they do not meet.
function tasks.selectedPart(project, item)
  local from, to = reaper.GetSet_LoopTimeRange2(project, false, false, 0, 0, false)
  if to <= from then return nil, "there is no time selection; drag over the ruler to make one" end
  local position = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  local length = reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
  local part = { start_s = math.max(from - position, 0), end_s = math.min(to - position, length) }
  if part.end_s - part.start_s < 0.001 then return nil, "the time selection does not reach it" end
  return part
end

return tasks
