-- @noindex
-- What the user chose last, kept by REAPER from one start to the next; every value is the text that was typed.

local settings = {}

local SECTION = "Retake"
local LARGEST_SEED = 4294967295

local KEEPS_AIR = { restyle = true, vary = true, inpaint = true }

local DEFAULTS = {
  prompt = "",
  strength = "0.5",
  seed = "1",
  candidates = "1",
  part = "no",
  seconds = "5.12",
  like = "no",
  vary_strength = "0.4",
  model = "",
  steps = "",
  guidance = "",
  negative = "",
  keep_air = "no",
  cutoff_hz = "",
}

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
  return DEFAULTS[name]
end

function settings.set(name, text)
  reaper.SetExtState(SECTION, name, pack(text), true)
end

-- The seed that a text asks for: its number, or a random one.
function settings.chooseSeed(text)
  if text ~= "random" then return math.tointeger(tonumber(text)) end
  math.randomseed(math.floor(reaper.time_precise() * 1e6))
  return math.random(0, LARGEST_SEED)
end

-- The seed after a seed: one more, or a random one where the user asked for random seeds.
function settings.nextSeed(seed)
  if settings.get("seed") == "random" then return settings.chooseSeed("random") end
  return (seed + 1) % (LARGEST_SEED + 1)
end

-- The seed of an action without dialog: another one each time.
function settings.freshSeed()
  local seed = settings.chooseSeed(settings.get("seed"))
  if settings.get("seed") ~= "random" then settings.set("seed", tostring(settings.nextSeed(seed))) end
  return seed
end

-- What the Settings dialog says about every request; what stands empty there is left to Retake.
function settings.forEveryRequest(request)
  request.model = settings.get("model") ~= "" and settings.get("model") or nil
  request.negative = settings.get("negative") ~= "" and settings.get("negative") or nil
  request.steps = math.tointeger(tonumber(settings.get("steps")))
  request.guidance = tonumber(settings.get("guidance"))
  request.candidates = math.tointeger(tonumber(settings.get("candidates")))
  request.client = "REAPER"
  if request.operation == "upscale" then request.cutoff_hz = tonumber(settings.get("cutoff_hz")) end
  if settings.get("keep_air") == "yes" and KEEPS_AIR[request.operation] then request.keep_air = 1 end
  return request
end

return settings
