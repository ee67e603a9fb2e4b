-- @noindex
-- What the user chose last, kept by REAPER from one start to the next; every value is the text that was typed.

local operations = require("operations")

local settings = {}

local SECTION = "Retake"
local LOWEST_SEED, HIGHEST_SEED = operations.seeds()
local DEFAULTS = { part = "no", like = "no", follow = "no" } -- of what is asked in REAPER only

-- REAPER keeps these in a file whose reader takes quotes around a value away: such values are written otherwise.
local function pack(text)
  if not text:find("^['\"].*['\"]$") and not text:find("%%%x%x") then return text end
  return (text:gsub("[%%'\"]", function(sign) return string.format("%%%02X", sign:byte()) end))
end

local function unpackText(text)
  return (text:gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end))
end

function settings.get(name)
  if reaper.HasExtState(SECTION, name) then return unpackText(reaper.GetExtState(SECTION, name)) end
  return DEFAULTS[name] or operations.defaultOf(name)
end

function settings.set(name, text)
  reaper.SetExtState(SECTION, name, pack(text), true)
end

-- The seed that a text asks for: its number, or a random one.
function settings.chooseSeed(text)
  if text ~= "random" then return math.tointeger(tonumber(text)) end
  math.randomseed(math.floor(reaper.time_precise() * 1e6))
  return math.random(LOWEST_SEED, HIGHEST_SEED)
end

-- The seed after a seed: one more, or a random one where the user asked for random seeds.
function settings.nextSeed(seed)
  if settings.get("seed") == "random" then return settings.chooseSeed("random") end
  return seed < HIGHEST_SEED and seed + 1 or LOWEST_SEED
end

-- The seed of an action without dialog: another one each time.
function settings.freshSeed()
  local seed = settings.chooseSeed(settings.get("seed"))
  if settings.get("seed") ~= "random" then settings.set("seed", tostring(settings.nextSeed(seed))) end
  return seed
end

-- Complete a request with what was answered in its dialog and in the Settings; an empty field is left to Retake.
function settings.complete(request)
  request.client = "REAPER"
  return operations.fill(request, settings.get)
end

return settings
