-- Writes what a region plays into a WAV file: 32-bit float, all channels, without the region's gain and fades.

local folders = require("folders")
local regions = require("regions")
local talk = require("talk")

local clip = {}

local BLOCK = 8192
local VALUES_AT_ONCE = 192 -- packed by one call; more would need more of Lua's stack
local LARGEST = 0xFFFFFFFF - 36

local function header(channels, length)
  local rate = math.floor(Session:nominal_sample_rate())
  local bytes = length * channels * 4
  if bytes > LARGEST then talk.complain("The region is too long: a clip has room for 4 GB.") end
  return string.pack("<c4I4c4c4I4I2I2I4I4I2I2c4I4", "RIFF", 36 + bytes, "WAVE", "fmt ", 16, 3, channels, rate,
    rate * channels * 4, channels * 4, 32, "data", bytes)
end

-- The samples of some columns, one channel after the other for each moment, as bytes.
local function interleave(columns, length)
  local parts, values = {}, {}
  for moment = 1, length do
    for channel = 1, #columns do values[#values + 1] = columns[channel][moment] end
    if #values >= VALUES_AT_ONCE or moment == length then
      parts[#parts + 1] = string.pack("<" .. ("f"):rep(#values), table.unpack(values))
      values = {}
    end
  end
  return table.concat(parts)
end

local function writeSamples(file, region, onBlock)
  local readable, length = region:to_readable(), region:to_readable():readable_length()
  local memory = ARDOUR.DSP.DspShm(BLOCK)
  for at = 0, length - 1, BLOCK do
    local count, columns = math.min(BLOCK, length - at), {}
    for channel = 1, region:n_channels() do
      if readable:read(memory:to_float(0), at, count, channel - 1) ~= count then
        talk.complain("Ardour could not read the audio of “" .. region:name() .. "”.")
      end
      columns[channel] = memory:to_float(0):get_table(count)
    end
    file:write(interleave(columns, count))
    onBlock((at + count) / length)
  end
end

-- A file name that is unique to this audio: a region's sources never change.
local function fileName(region)
  local name = region:name():gsub('[%c/\\:%*%?"<>|]+', " "):sub(1, 40)
  local _, brokenAt = utf8.len(name)
  if brokenAt then name = name:sub(1, brokenAt - 1) end
  local source = regions.id(region:source(0))
  return string.format("%s %s-%d-%d.wav", name, source, region:start():samples(), region:length():samples())
end

-- The path of a clip that holds a region's audio; `onBlock` is called with the fraction that is written.
function clip.export(region, onBlock)
  local audio = region:to_audioregion()
  if audio:n_channels() > 2 then
    talk.complain("“" .. region:name() .. "” has " .. audio:n_channels() .. " channels; Retake takes mono and stereo.")
  end
  local folder = folders.make(folders.join(folders.ofSession(), "clips"))
  local path = folders.join(folder, fileName(region))
  if folders.exists(path) then return path end
  local file, problem = io.open(path .. ".part", "wb")
  if not file then talk.complain("The clip could not be written: " .. problem) end
  file:write(header(audio:n_channels(), region:length():samples()))
  local isFine, error = pcall(writeSamples, file, audio, onBlock)
  file:close()
  if not isFine then
    os.remove(path .. ".part")
    talk.complain(type(error) == "table" and error.sentence or tostring(error))
  end
  os.rename(path .. ".part", path)
  return path
end

return clip
