-- Asks for words and numbers in one dialog, and remembers them for the next time.

local folders = require("folders")
local talk = require("talk")

local form = {}

local LARGEST_SEED = 4294967295
local ON_TOP, NEW_PLAYLIST = "as a layer on top", "on a new playlist"
local DEFAULTS = { prompt = "", strength = 0.5, seconds = 5.12, seed = 1, isRandom = false, candidates = 1, place = ON_TOP }

local FIELDS = {
  prompt = { type = "entry", title = "What it should sound like" },
  strength = { type = "slider", title = "Strength (0 keeps it, 1 makes it anew)", min = 0, max = 1, digits = 2 },
  seconds = { type = "number", title = "Length (seconds)", min = 0.1, max = 600, step = 0.5, digits = 2 },
  candidates = { type = "number", title = "Takes, best on top", min = 1, max = 16, step = 1, digits = 0 },
  seed = { type = "number", title = "Seed", min = 0, max = LARGEST_SEED, step = 1, digits = 0 },
  isRandom = { type = "checkbox", title = "Another seed each time" },
  place = { type = "dropdown", title = "Takes lie", values = { [ON_TOP] = ON_TOP, [NEW_PLAYLIST] = NEW_PLAYLIST } },
}

local function memoryPath()
  return folders.join(folders.ofUser(), "retake-settings.json")
end

local function recall(kind)
  local all = folders.readValue(memoryPath())
  local known = type(all) == "table" and all[kind] or {}
  local values = {}
  for key, default in pairs(DEFAULTS) do
    values[key] = type(known[key]) == type(default) and known[key] or default
  end
  return values
end

local function remember(kind, values)
  local all = folders.readValue(memoryPath())
  if type(all) ~= "table" then all = {} end
  all[kind] = values
  folders.writeValue(memoryPath(), all)
end

-- Another seed than before.
function form.otherSeed(seed, isRandom)
  if not isRandom then return (seed + 1) % (LARGEST_SEED + 1) end
  math.randomseed(ARDOUR.LuaAPI.monotonic_time())
  return math.random(0, 2147483647)
end

function form.isOnNewPlaylist(values)
  return values.place == NEW_PLAYLIST
end

-- Show the fields of an action and give what was entered; nil when the dialog was cancelled.
function form.ask(title, kind, keys)
  local known, fields = recall(kind), {}
  for number, key in ipairs(keys) do
    local field = { key = key, default = known[key] }
    for name, value in pairs(FIELDS[key]) do field[name] = value end
    fields[number] = field
  end
  local entered = LuaDialog.Dialog(title, fields):run()
  if not entered then return nil end
  for key, value in pairs(entered) do known[key] = value end
  known.seed = math.floor(known.seed)
  known.candidates = math.floor(known.candidates)
  known.prompt = known.prompt:match("^%s*(.-)%s*$")
  if known.isRandom then known.seed = form.otherSeed(known.seed, true) end
  remember(kind, known)
  if known.prompt == "" then talk.complain("Type a few words that say what it should sound like.") end
  return known
end

return form
