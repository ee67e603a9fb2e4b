-- @noindex
-- Finds projects, tracks, items and takes again by what survives a wait: GUIDs, not pointers.

local whereabouts = {}

function whereabouts.itemGuid(item)
  local _, guid = reaper.GetSetMediaItemInfo_String(item, "GUID", "", false)
  return guid
end

function whereabouts.takeGuid(take)
  local _, guid = reaper.GetSetMediaItemTakeInfo_String(take, "GUID", "", false)
  return guid
end

-- Whether a project is open, in this tab or another one.
function whereabouts.isOpen(project)
  local index = 0
  while true do
    local open = reaper.EnumProjects(index)
    if not open then return false end
    if open == project then return true end
    index = index + 1
  end
end

function whereabouts.findItem(project, guid)
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    if whereabouts.itemGuid(item) == guid then return item end
  end
end

function whereabouts.findTrack(project, guid)
  for index = 0, reaper.CountTracks(project) - 1 do
    local track = reaper.GetTrack(project, index)
    if reaper.GetTrackGUID(track) == guid then return track end
  end
end

-- Every take of an item that holds something; empty take lanes are left out.
function whereabouts.takes(item)
  local takes = {}
  for index = 0, reaper.CountTakes(item) - 1 do
    takes[#takes + 1] = reaper.GetTake(item, index)
  end
  return takes
end

function whereabouts.findTake(item, guid)
  for _, take in ipairs(whereabouts.takes(item)) do
    if whereabouts.takeGuid(take) == guid then return take end
  end
end

-- The file that a take plays, also through sections and reversed sources; "" when there is none.
function whereabouts.fileOf(take)
  local source = reaper.GetMediaItemTake_Source(take)
  while source do
    local parent = reaper.GetMediaSourceParent(source)
    if not parent then return reaper.GetMediaSourceFileName(source) end
    source = parent
  end
  return ""
end

return whereabouts
