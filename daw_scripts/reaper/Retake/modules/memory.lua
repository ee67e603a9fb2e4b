-- @noindex
-- What a take remembers of how it was made: its name for the eye, and its request in the project file for "again".

local json = require("json")
local whereabouts = require("whereabouts")

local memory = {}

local FIELD = "P_EXT:retake"

-- Quotes of all kinds in one string do not survive a project file.
local function escape(text)
  local escaped = text:gsub("[^%w%-%._,:{}%[%]]", function(byte) return string.format("%%%02X", byte:byte()) end)
  return escaped
end

local function unescape(text)
  local plain = text:gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end)
  return plain
end

-- The name of a take, such as "heavy rain (restyle 0.5, seed 3)".
function memory.nameTake(request)
  local how = request.operation .. (request.strength and string.format(" %.4g", request.strength) or "")
  local words = request.prompt and request.prompt ~= "" and request.prompt .. " " or ""
  return string.format("%s(%s, seed %d)", words, how, request.seed)
end

-- A record holds `request` and, for takes made of a take, `source`: its GUID, offset and playrate.
function memory.keep(item, take, record)
  local text = escape(json.encode(record))
  reaper.GetSetMediaItemTakeInfo_String(take, FIELD, text, true)
  reaper.GetSetMediaItemInfo_String(item, FIELD, text, true)
end

function memory.ofTake(take)
  local isThere, text = reaper.GetSetMediaItemTakeInfo_String(take, FIELD, "", false)
  if not isThere or text == "" then return nil end
  return json.decode(unescape(text))
end

-- The record of the active take, or the last one that the item had.
function memory.ofItem(item)
  local take = reaper.GetActiveTake(item)
  local record = take and memory.ofTake(take)
  if record then return record end
  local isThere, text = reaper.GetSetMediaItemInfo_String(item, FIELD, "", false)
  if not isThere or text == "" then return nil end
  return json.decode(unescape(text))
end

-- The highest seed that an operation has had in an item; `seed` when that is higher.
function memory.highestSeed(item, operation, seed)
  for _, take in ipairs(whereabouts.takes(item)) do
    local record = memory.ofTake(take)
    if record and record.request.operation == operation then seed = math.max(seed, record.request.seed) end
  end
  return seed
end

-- The take that a record was made of; where it has gone, the first one that Retake did not make.
function memory.findSource(item, record)
  local source = record.source and whereabouts.findTake(item, record.source.take)
  if source then return source end
  for _, take in ipairs(whereabouts.takes(item)) do
    if not memory.ofTake(take) then return take end
  end
end

return memory
