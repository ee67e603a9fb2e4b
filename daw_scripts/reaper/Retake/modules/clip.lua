-- @noindex
-- The audio that a take plays, before volume, pan, fades and FX, as a float WAV, written piece by piece.

local whereabouts = require("whereabouts")

local clip = {}

local FLOAT_FORMAT = 3
local BYTES = 4
local MAX_BYTES = 0xFFFFFFFF - 64 -- sizes in a WAV have 32 bits
local BLOCK_FRAMES = 16384
local PACKED_AT_ONCE = 2048
local TICK_S = 0.02 -- REAPER stays usable between two ticks
local FALLBACK_RATE = 44100
local DELETED = "it was deleted before its audio was read"

-- The first answer that is not 0 along a source and its parents: sections answer 0 in some versions of REAPER.
local function ask(take, question)
  local source = reaper.GetMediaItemTake_Source(take)
  while source do
    local answer = question(source)
    if answer ~= 0 then return answer end
    source = reaper.GetMediaSourceParent(source)
  end
  return 0
end

-- How many of the source's channels a take plays: I_CHANMODE 2 to 66 make mono, more make stereo of a pair.
local function channelsPlayed(take, channels)
  local mode = reaper.GetMediaItemTakeInfo_Value(take, "I_CHANMODE")
  if mode > 66 then return math.min(channels, 2) end
  return mode > 1 and 1 or channels
end

local function describeMissing(take)
  if not take then return "it is empty" end
  if reaper.TakeIsMIDI(take) then return "it is MIDI; render it to audio first" end
  local file = whereabouts.fileOf(take)
  if file ~= "" and not reaper.file_exists(file) then return "its file is missing: " .. file end
end

-- Rate, channels and frames of a take in its item; nil and a sentence when it holds no audio that Retake can use.
function clip.measure(item, take)
  local problem = describeMissing(take)
  if problem then return nil, problem end
  local channels = ask(take, reaper.GetMediaSourceNumChannels)
  if channels == 0 then return nil, "it holds no audio" end
  local rate = ask(take, reaper.GetMediaSourceSampleRate)
  if rate == 0 then rate = FALLBACK_RATE end
  local played = channelsPlayed(take, channels)
  if played > 2 then
    local sentence = "it has %d channels, and Retake takes mono and stereo; choose a channel mode in its properties"
    return nil, sentence:format(played)
  end
  local frames = math.ceil(reaper.GetMediaItemInfo_Value(item, "D_LENGTH") * rate - 1e-6)
  if frames < 1 then return nil, "it has no length" end
  if frames * played * BYTES > MAX_BYTES then return nil, "it is too long for one WAV; split it first" end
  return { rate = rate, channels = channels, played = played, frames = frames }
end

local function header(shape)
  local numBytes = shape.frames * shape.played * BYTES
  local frameBytes = shape.played * BYTES
  local format = string.pack("<I2I2I4I4I2I2I2", FLOAT_FORMAT, shape.played, shape.rate, shape.rate * frameBytes,
    frameBytes, 8 * BYTES, 0)
  local body = "WAVEfmt " .. string.pack("<s4", format) .. "fact" .. string.pack("<I4I4", 4, shape.frames)
  return "RIFF" .. string.pack("<I4", #body + 8 + numBytes) .. body .. "data" .. string.pack("<I4", numBytes)
end

-- Samples in turn for each channel, of which only the first `played` ones are wanted.
local function keepHeard(samples, shape)
  if shape.played == shape.channels then return samples end
  local kept = {}
  for start = 1, #samples, shape.channels do
    for channel = 0, shape.played - 1 do kept[#kept + 1] = samples[start + channel] end
  end
  return kept
end

local function pack(samples)
  local parts = {}
  for first = 1, #samples, PACKED_AT_ONCE do
    local last = math.min(first + PACKED_AT_ONCE - 1, #samples)
    parts[#parts + 1] = string.pack("<" .. ("f"):rep(last - first + 1), table.unpack(samples, first, last))
  end
  return table.concat(parts)
end

local Recording = {}
Recording.__index = Recording

-- Begin to write a take to a path; nil and a sentence when it cannot be written.
function clip.record(project, take, shape, path)
  if not reaper.ValidatePtr2(project, take, "MediaItem_Take*") then return nil, DELETED end
  local file, problem = io.open(path, "wb")
  if not file then return nil, "its audio could not be written: " .. problem end
  local recording = { project = project, take = take, shape = shape, file = file, done = 0 }
  recording.accessor = reaper.CreateTakeAudioAccessor(take)
  recording.buffer = reaper.new_array(BLOCK_FRAMES * shape.channels)
  file:write(header(shape))
  return setmetatable(recording, Recording)
end

-- Write one block; a sentence when that went wrong.
function Recording:writeBlock()
  local shape = self.shape
  local count = math.min(BLOCK_FRAMES, shape.frames - self.done)
  self.buffer.clear() -- past the item's end nothing is written into it
  local verdict = reaper.GetAudioAccessorSamples(self.accessor, shape.rate, shape.channels, self.done / shape.rate,
    count, self.buffer)
  if verdict < 0 then return "REAPER could not read its audio" end
  local samples = keepHeard(self.buffer.table(1, count * shape.channels), shape)
  local isWritten, problem = self.file:write(pack(samples))
  if not isWritten then return "its audio could not be written: " .. problem end
  self.done = self.done + count
end

-- Write for a moment: the fraction that is done, or nil and a sentence.
function Recording:step()
  local deadline = reaper.time_precise() + TICK_S
  repeat
    if not reaper.ValidatePtr2(self.project, self.take, "MediaItem_Take*") then
      return nil, DELETED
    end
    local problem = self:writeBlock()
    if problem then return nil, problem end
  until self.done == self.shape.frames or reaper.time_precise() > deadline
  return self.done / self.shape.frames
end

function Recording:close()
  reaper.DestroyAudioAccessor(self.accessor)
  self.file:close()
end

return clip
