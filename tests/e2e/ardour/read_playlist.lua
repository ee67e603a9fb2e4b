-- ardour7-lua read_playlist.lua FOLDER NAME TRACK CHANNELS START LENGTH TARGET: what a saved session plays on a track, as
-- Ardour reads it from all layers; a file of raw 32-bit floats for each channel, TARGET.0 and so on.
local BLOCK = 8192

assert(load_session(arg[1], arg[2]))
local channels, start, length = tonumber(arg[4]), tonumber(arg[5]), tonumber(arg[6])
local mixed, memory, gain = ARDOUR.DSP.DspShm(BLOCK), ARDOUR.DSP.DspShm(BLOCK), ARDOUR.DSP.DspShm(BLOCK)
local playlist = Session:route_by_name(arg[3]):to_track():playlist():to_audioplaylist()
for channel = 0, channels - 1 do
  local file = assert(io.open(arg[7] .. "." .. channel, "wb"))
  for at = start, start + length - 1, BLOCK do
    local count = math.min(BLOCK, start + length - at)
    playlist:read(mixed:to_float(0), memory:to_float(0), gain:to_float(0), Temporal.timepos_t(at),
      Temporal.timecnt_t(count), channel)
    for _, value in ipairs(mixed:to_float(0):get_table(count)) do file:write(string.pack("<f", value)) end
  end
  file:close()
end
close_session()
