-- Finds regions and tracks: those that are selected, those that a range touches, those of an id.

local talk = require("talk")

local regions = {}

function regions.id(object)
  return object:to_stateful():id():to_s()
end

local function audioTracks()
  local list = {}
  for route in Session:get_tracks():iter() do
    local track = route:to_track()
    if not track:isnil() and not track:to_audio_track():isnil() then list[#list + 1] = track end
  end
  return list
end

-- The region of an id and its track, wherever it is now; nothing when it is on no track.
function regions.find(id)
  for _, track in ipairs(audioTracks()) do
    for region in track:playlist():region_list():iter() do
      if regions.id(region) == id then return region, track end
    end
  end
end

-- The region on a track that plays the same part of a source at the same place: a copied playlist has such twins.
local function twin(track, source, start, position)
  for region in track:playlist():region_list():iter() do
    local isThere = region:position():samples() == position and region:start():samples() == start
    if isThere and regions.id(region:source(0)) == source then return region end
  end
end

-- The region that stands for another one which is on no track any more, and its track.
function regions.findTwin(place)
  local track = regions.findTrack(place.track)
  local region = track and twin(track, place.source, place.start, place.position)
  if region then return region, track end
end

-- A region's twin on a track whose playlist was copied.
function regions.twinOf(region, track)
  return twin(track, regions.id(region:source(0)), region:start():samples(), region:position():samples())
end

function regions.findTrack(id)
  for _, track in ipairs(audioTracks()) do
    if regions.id(track) == id then return track end
  end
end

-- The first selected audio track; nothing when none is.
function regions.selectedTrack()
  for route in Editor:get_selection().tracks:routelist():iter() do
    local track = route:to_track()
    if not track:isnil() and not track:to_audio_track():isnil() then return track end
  end
end

-- A region with its track and the samples of it that are meant, counted from its start.
local function target(region, from, to)
  local _, track = regions.find(regions.id(region))
  if not track then return nil end
  local length = region:length():samples()
  return { region = region, track = track, from = math.max(from or 0, 0), to = math.min(to or length, length) }
end

-- The selected audio regions, in the order of time.
function regions.selected()
  local list = {}
  for region in Editor:get_selection().regions:regionlist():iter() do
    if not region:to_audioregion():isnil() then list[#list + 1] = target(region) end
  end
  table.sort(list, function(a, b) return a.region:position():samples() < b.region:position():samples() end)
  return list
end

-- The selected range, in samples; nothing when none is selected.
function regions.range()
  local time = Editor:get_selection().time
  local from, to = time:start_sample(), time:end_sample()
  if from < to then return from, to end
end

local function cut(region, from, to)
  local position = region:position():samples()
  local cutTarget = target(region, from - position, to - position)
  return cutTarget and cutTarget.from < cutTarget.to and cutTarget or nil
end

-- The regions of a track that a range touches and that are audible there.
local function audible(track, from, to)
  local list, playlist = {}, track:playlist()
  local touched = playlist:regions_touched(Temporal.timepos_t(from), Temporal.timepos_t(to - 1))
  for region in touched:iter() do
    local part = not region:to_audioregion():isnil() and cut(region, from, to)
    if part then
      local middle = region:position():samples() + (part.from + part.to) // 2
      local top = playlist:top_unmuted_region_at(Temporal.timepos_t(middle))
      if not top:isnil() and regions.id(top) == regions.id(region) then list[#list + 1] = part end
    end
  end
  return list
end

-- What a range means: its part of the selected regions; without any, of what is audible on the selected tracks.
function regions.inRange()
  local from, to = regions.range()
  if not from then talk.complain("Select a range first: press R and drag over the part that you want to replace.") end
  local list = {}
  for _, whole in ipairs(regions.selected()) do list[#list + 1] = cut(whole.region, from, to) end
  if #list > 0 then return list end
  for route in Editor:get_selection().tracks:routelist():iter() do
    local track = route:to_track()
    if not track:isnil() then
      for _, part in ipairs(audible(track, from, to)) do list[#list + 1] = part end
    end
  end
  if #list == 0 then talk.complain("There is no audio region in the selected range.") end
  return list
end

return regions
