-- @noindex
-- Puts results into the project, in one undo step: as takes of the item they were made of, wherever it is by now.

local memory = require("memory")
local whereabouts = require("whereabouts")

local placement = {}

local UNDO_ITEMS, UNDO_TRACKS = 4, 1
local SAME_TIME_S = 0.001

local function buildPeaks(source)
  if reaper.PCM_Source_BuildPeaks(source, 0) == 0 then return end
  while reaper.PCM_Source_BuildPeaks(source, 1) > 0 do end
  reaper.PCM_Source_BuildPeaks(source, 2)
end

-- Add a file to an item as a take that plays `offset` seconds in, at `rate`; nil when REAPER cannot read the file.
local function addTake(item, path, task, offset, rate)
  local source = reaper.PCM_Source_CreateFromFile(path)
  if not source then return nil end
  local take = reaper.AddTakeToMediaItem(item)
  reaper.SetMediaItemTake_Source(take, source)
  for field, value in pairs(task.takeLook) do reaper.SetMediaItemTakeInfo_Value(take, field, value) end
  reaper.SetMediaItemTakeInfo_Value(take, "D_STARTOFFS", offset)
  reaper.SetMediaItemTakeInfo_Value(take, "D_PLAYRATE", rate)
  reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", memory.nameTake(task.record.request), true)
  memory.keep(item, take, task.record)
  buildPeaks(reaper.GetMediaItemTake_Source(take))
  return take
end

-- Add all files, best first; the best one becomes the take that plays. How many there are now.
local function addTakes(item, paths, task, offset, rate)
  local added = {}
  for _, path in ipairs(paths) do added[#added + 1] = addTake(item, path, task, offset, rate) end
  if added[1] then reaper.SetActiveTake(added[1]) end
  reaper.UpdateItemInProject(item)
  return #added
end

local function valueOf(take, field)
  return reaper.GetMediaItemTakeInfo_Value(take, field)
end

-- How far the source take has slipped in its item since the request, in seconds of the result, and its change of speed.
local function drift(take, source)
  if not take then return 0, 1 end
  return (valueOf(take, "D_STARTOFFS") - source.offset) / source.playrate, valueOf(take, "D_PLAYRATE") / source.playrate
end

-- The take of an item that plays the same file at the same speed and comes from the same place of the timeline.
local function findPiece(item, task, origin)
  local position = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  for _, take in ipairs(whereabouts.takes(item)) do
    local offset, rate = drift(take, task.record.source)
    local isOfPlace = math.abs(position - offset - origin) < SAME_TIME_S and offset < task.length
    if isOfPlace and rate == 1 and whereabouts.fileOf(take) == task.file then return offset end
  end
end

-- The other pieces of an item that was split: items on its track, with where the result begins in each.
local function findPieces(project, task, origin, known)
  local pieces = {}
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    if item ~= known and reaper.GetTrackGUID(reaper.GetMediaItem_Track(item)) == task.trackGuid then
      local offset = findPiece(item, task, origin)
      if offset then pieces[#pieces + 1] = { item = item, offset = offset, rate = 1 } end
    end
  end
  return pieces
end

-- Where the results of a task belong by now: its item, and what was split off it.
local function findTargets(project, task)
  if not task.itemGuid then return {} end
  local item = whereabouts.findItem(project, task.itemGuid)
  if not item then return task.file and findPieces(project, task, task.position, nil) or {} end
  local take = task.record.source and whereabouts.findTake(item, task.record.source.take)
  local offset, rate = drift(take, task.record.source)
  local targets = {}
  if take and reaper.GetMediaItemInfo_Value(item, "D_LENGTH") < task.length - SAME_TIME_S then
    local origin = reaper.GetMediaItemInfo_Value(item, "D_POSITION") - offset
    targets = findPieces(project, task, origin, item)
  end
  table.insert(targets, 1, { item = item, offset = offset, rate = rate })
  return targets
end

-- The track of a task; a new one where the project in view has none at all.
local function findTrack(project, task)
  local track = task.trackGuid and whereabouts.findTrack(project, task.trackGuid)
  if track or task.trackGuid or project ~= reaper.EnumProjects(-1) then return track end
  if reaper.CountTracks(project) == 0 then
    reaper.InsertTrackAtIndex(0, true)
    reaper.TrackList_AdjustWindows(false)
  end
  return reaper.GetTrack(project, 0)
end

local function addItem(track, task)
  local item = reaper.AddMediaItemToTrack(track)
  reaper.SetMediaItemInfo_Value(item, "D_POSITION", task.position)
  reaper.SetMediaItemInfo_Value(item, "D_LENGTH", task.length)
  reaper.SetMediaItemInfo_Value(item, "B_LOOPSRC", 0)
  for field, value in pairs(task.itemLook) do reaper.SetMediaItemInfo_Value(item, field, value) end
  return item
end

-- A sentence when the files could not be put into the project.
local function placeOne(project, task, paths)
  local targets = findTargets(project, task)
  if #targets == 0 then
    local track = findTrack(project, task)
    if not track then return "its track is gone" end
    targets = { { item = addItem(track, task), offset = 0, rate = 1 } }
  end
  for _, target in ipairs(targets) do
    if addTakes(target.item, paths, task, target.offset, target.rate) < #paths then
      return "REAPER could not read every file"
    end
  end
end

-- Place every outcome { task, paths } as one undo step; sentences about those that found no place.
function placement.place(project, title, outcomes)
  local problems = {}
  local function describe(outcome, problem)
    local files = table.concat(outcome.paths, "\n")
    problems[#problems + 1] = string.format("%s: %s. The result is here:\n%s", outcome.task.name, problem, files)
  end
  if not whereabouts.isOpen(project) then
    for _, outcome in ipairs(outcomes) do describe(outcome, "its project was closed") end
    return problems
  end
  reaper.PreventUIRefresh(1)
  reaper.Undo_BeginBlock2(project)
  for _, outcome in ipairs(outcomes) do
    local isFine, problem = pcall(placeOne, project, outcome.task, outcome.paths)
    if problem then describe(outcome, isFine and problem or "REAPER refused it (" .. tostring(problem) .. ")") end
  end
  reaper.Undo_EndBlock2(project, title, UNDO_ITEMS | UNDO_TRACKS)
  reaper.PreventUIRefresh(-1)
  reaper.UpdateArrange()
  return problems
end

return placement
