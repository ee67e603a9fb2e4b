-- As much of Ardour as a script needs around its dialog: one region of one second on one track, both selected, and a
-- selected range inside it. `host` is the test's side.
local host = ...

local function always(value) return function() return value end end

-- A list of one thing, as Ardour's lists are walked through.
local function listOf(value)
  local function iter()
    local isOver = false
    return function()
      if not isOver then isOver = true return value end
    end
  end
  return { iter = iter }
end

local function stateful(id) return { id = always({ to_s = always(id) }) } end
local function samples(count) return { samples = always(count) } end

local region = {
  name = always("speech"),
  isnil = always(false),
  n_channels = always(1),
  to_stateful = always(stateful("12")),
  source = always({ to_stateful = always(stateful("11")) }),
  position = always(samples(0)),
  start = always(samples(0)),
  length = always(samples(48000)),
  to_readable = always({ readable_length = always(0) }),
}
region.to_audioregion = always(region)

local track = {
  isnil = always(false),
  to_stateful = always(stateful("13")),
  playlist = always({ region_list = always(listOf(region)) }),
}
track.to_audio_track = always(track)
local route = { to_track = always(track) }

local selection = {
  tracks = { routelist = always(listOf(route)) },
  regions = { regionlist = always(listOf(host.hasRegions and region or nil)) },
  time = { start_sample = always(100), end_sample = always(4800) },
}
Editor = { get_selection = always(selection) }

Session = {
  path = always(host.folder),
  nominal_sample_rate = always(48000),
  transport_sample = always(0),
  get_tracks = always(listOf(route)),
}

ARDOUR = {
  user_config_directory = always(host.folder),
  DSP = { DspShm = always({}) },
  LuaAPI = {
    FileTest = { Exists = 1 },
    build_filename = function(...) return table.concat({ ... }, "/") end,
    file_test = function(path) return host.exists(path) end,
    monotonic_time = function() return host.count() end,
    usleep = always(nil),
  },
}

LuaDialog = {
  MessageType = { Info = 1, Warning = 2, Error = 3 },
  ButtonType = { Close = 1 },
  Message = function(_, text) return { run = function() host.say(text) end } end,
  Dialog = function(title, rows) return { run = function() return host.answer(title, rows) end } end,
  ProgressWindow = function()
    return { progress = always(nil), done = always(nil), canceled = function() return host.isSent() end }
  end,
}

os.execute = function(words)
  host.execute(words)
  return 0
end

ardour = always(nil)
