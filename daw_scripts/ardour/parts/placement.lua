-- Places finished takes in the session: imports the files, and adds them to their track in one undo step.

local fades = require("fades")
local folders = require("folders")
local form = require("form")
local regions = require("regions")
local talk = require("talk")

local placement = {}

local function wholeFileRegions()
  local known = {}
  for _, region in ARDOUR.RegionFactory.regions():iter() do
    if region:whole_file() then known[regions.id(region)] = region end
  end
  return known
end

-- Import a file into the session's region list; nil when Ardour refused. An import has an undo step of its own, which
-- would have to be undone as well; begun inside of another step that stays empty, it goes with that one.
local function import(path)
  local before, files = wholeFileRegions(), C.StringVector()
  files:push_back(path)
  Session:begin_reversible_command("Retake: import")
  Editor:do_import(files, Editing.ImportDistinctFiles, Editing.ImportAsRegion, ARDOUR.SrcQuality.SrcBest,
    ARDOUR.MidiTrackNameSource.SMFTrackName, ARDOUR.MidiTempoMapDisposition.SMFTempoIgnore, Temporal.timepos_t(0),
    ARDOUR.PluginInfo(), ARDOUR.Track(), false)
  Session:abort_empty_reversible_command()
  for id, region in pairs(wholeFileRegions()) do
    if not before[id] then return region end
  end
end

local function makeTrack()
  local tracks = Session:new_audio_track(1, 2, nil, 1, "Retake", ARDOUR.PresentationInfo.max_order,
    ARDOUR.TrackMode.Normal, true)
  for track in tracks:iter() do return track end
end

-- Where a take goes: with its region, if that was moved; else where it was asked for.
local function findPlace(place)
  local region, track = nil, nil
  if place.region then region, track = regions.find(place.region) end
  if place.region and not region then region, track = regions.findTwin(place) end
  if region then return track, region:position():samples() + place.start - region:start():samples(), region end
  if place.isNewTrack then return nil, place.position end
  return regions.findTrack(place.track), place.position
end

-- The newest region in a playlist: adding a whole file puts a copy of it there.
local function add(playlist, region, position)
  local known = {}
  for old in playlist:region_list():iter() do known[regions.id(old)] = true end
  playlist:add_region(region, Temporal.timepos_t(position), 1, false, 0, 0, false)
  for added in playlist:region_list():iter() do
    if not known[regions.id(added)] then return added end
  end
end

-- Give a take the gain, envelope, fades and opacity of the region that it was made from.
local function follow(take, original, itsFades)
  local new, old = take:to_audioregion(), original:to_audioregion()
  new:set_scale_amplitude(old:scale_amplitude())
  take:set_opaque(original:opaque())
  fades.copy(original, take, itsFades)
  if not old:envelope_active() then return end
  new:envelope():clear_list()
  for event in old:envelope():events():iter() do new:envelope():add(event.when, event.value, false, true) end
  new:set_envelope_active(true)
end

local function mute(region)
  if region:muted() then return end
  region:to_stateful():clear_changes()
  region:set_muted(true)
  Session:add_stateful_diff_command(region:to_statefuldestructible())
end

-- Whether what is below a take is audible through it: Ardour fades in the region below a fade, and a region may be
-- transparent. The fades of 64 samples that every region has do not count.
local function isTransparent(item)
  local has = item.fades or {}
  return not item.original:opaque() or has.fadeIn ~= nil or has.fadeOut ~= nil
end

-- The takes at exactly the place of a region; they are recognised by their names.
local function takesOver(playlist, region)
  local list, from, length = {}, region:position():samples(), region:length():samples()
  for other in playlist:region_list():iter() do
    local isThere = other:position():samples() == from and other:length():samples() == length
    if isThere and other:name():find("%(%l+[^()]*, seed %d+%)") then list[#list + 1] = other end
  end
  return list
end

-- Add imported takes to a track, the best one last and so on top; what would be audible through it is muted.
local function addTakes(item)
  local playlist, original = item.track:playlist(), item.original
  local isOneOnly = original and isTransparent(item)
  if original then mute(original) end
  for _, take in ipairs(isOneOnly and takesOver(playlist, original) or {}) do mute(take) end
  playlist:to_stateful():clear_changes()
  for number = #item.imported, 1, -1 do
    local take = add(playlist, item.imported[number], item.position)
    take:set_name(item.name .. (number > 1 and " #" .. number or ""))
    if original then follow(take, original, item.fades) end
    if isOneOnly and number > 1 then take:set_muted(true) end
  end
  Session:add_stateful_diff_command(playlist:to_statefuldestructible())
end

-- Import the takes of one job and find out where they go; the sentence of what cannot be placed.
local function prepare(job, paths)
  local item = { name = job.place.name, imported = {} }
  for _, path in ipairs(paths) do
    local region = import(path)
    if not region then return nil, "Ardour did not import " .. path end
    item.imported[#item.imported + 1] = region
  end
  item.track, item.position, item.original = findPlace(job.place)
  if not item.track and job.place.isNewTrack then item.track = makeTrack() end
  if not item.track then return nil, "The track is gone; the take “" .. item.name .. "” is in the region list." end
  return item
end

local function describeFailure(job, news)
  local problem = news.error or { text = "no reason was given", hint = "" }
  return string.format("%s: %s.\n%s", job.place.label, problem.text, problem.hint)
end

-- Switch each track that gets takes to a copy of its playlist, once; from then on the original is its twin in the copy.
local function openPlaylists(items)
  local isOpen = {}
  for _, item in ipairs(items) do
    local id = regions.id(item.track)
    if not isOpen[id] then item.track:use_copy_playlist() end
    isOpen[id] = true
    item.original = item.original and regions.twinOf(item.original, item.track)
  end
end

local function readFades(items)
  local originals = {}
  for _, item in ipairs(items) do originals[#originals + 1] = item.original end
  local known = fades.read(originals)
  for _, item in ipairs(items) do item.fades = item.original and known[regions.id(item.original)] end
end

-- Import what a batch brought; sentences about what failed, and the daemon's warnings.
local function bring(batch, news)
  local items, sentences = {}, {}
  for number, job in ipairs(batch.jobs) do
    local outcome = news.jobs[number]
    for _, warning in ipairs(outcome.warnings or {}) do sentences[#sentences + 1] = warning end
    if outcome.state == "done" then
      local item, problem = prepare(job, outcome.paths)
      items[#items + 1] = item
      sentences[#sentences + 1] = problem
    elseif outcome.state == "failed" then
      sentences[#sentences + 1] = describeFailure(job, outcome)
    end
  end
  return items, sentences
end

-- Place all that a batch brought, in one undo step.
function placement.place(batch, news)
  local items, sentences = bring(batch, news)
  readFades(items)
  if form.isOnNewPlaylist(batch.values) then openPlaylists(items) end
  Session:begin_reversible_command(batch.title)
  local isFine, problem = pcall(function()
    for _, item in ipairs(items) do addTakes(item) end
  end)
  if not Session:abort_empty_reversible_command() then Session:commit_reversible_command(nil) end
  if not isFine then error(problem, 0) end
  if #sentences > 0 then talk.inform(batch.title .. "\n\n" .. table.concat(sentences, "\n\n")) end
end

-- Where the daemon writes takes of this session.
function placement.outputFolder()
  return folders.join(folders.ofSession(), "takes")
end

return placement
