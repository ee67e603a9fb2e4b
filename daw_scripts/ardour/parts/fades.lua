-- The fades of regions. Ardour's Lua can set a fade, but not read one; what a session's state says of it can be read. So
-- the state is written into a file of its own, in the way of Ardour's automatic backup: the session stays as it is.

local folders = require("folders")
local regions = require("regions")

local fades = {}

local SNAPSHOT = "retake-fades"
local SHAPES = { FadeFast = 0.032, FadeSlow = 0.097, FadeLinear = 0.5, FadeSymmetric = 0.6, FadeConstantPower = 0.707 }
-- by the level in the middle of a fade, which no two of Ardour's shapes share
local SHORTEST = 64 -- samples of a fade
local LONGEST_DRAWN = 1000000 -- looked at

-- The session's state as text; nothing where it cannot be had, and takes then have the fades that every region has.
local function readState()
  local isFine, status = pcall(function() return Session:save_state(SNAPSHOT, true, false, false, false, false) end)
  local path = folders.join(Session:path(), SNAPSHOT .. ".pending")
  local text = isFine and status == 0 and folders.read(path) or ""
  os.remove(path)
  return text
end

local function nearestShape(level)
  local nearest
  for shape, middle in pairs(SHAPES) do
    if not nearest or math.abs(middle - level) < math.abs(SHAPES[nearest] - level) then nearest = shape end
  end
  return nearest
end

-- The level of a curve at a moment, between the points that stand around it.
local function levelAt(points, moment)
  for number = 2, #points do
    local before, after = points[number - 1], points[number]
    if moment <= after.at then
      return before.level + (after.level - before.level) * (moment - before.at) / (after.at - before.at)
    end
  end
end

-- The length that a fade had when its shape was drawn: Ardour puts each point on a whole sample, and another length
-- only stretches what was drawn. The shortest one at which all points do that gives the same curve.
local function drawnLength(points, length, longest)
  local ticks = points[#points].at
  for drawn = SHORTEST, math.min(longest, LONGEST_DRAWN) do
    local isWhole = true
    for number = 1, #points do
      local sample = points[number].at / ticks * drawn
      if math.abs(sample - math.floor(sample + 0.5)) > 0.01 then isWhole = false break end
    end
    if isWhole then return drawn end
  end
  return length
end

-- How a fade was made; nil for the very short one that every region gets by itself, which no list is written of.
local function readFade(element, name, region, samplesInTick)
  local list, points = element:match("<" .. name .. ">(.-)</" .. name .. ">"), {}
  for at, level in (list or ""):gmatch("%a(%d+) ([%d%.e+-]+)") do
    points[#points + 1] = { at = tonumber(at), level = tonumber(level) }
  end
  if #points < 2 then return nil end
  local ticks = points[#points].at
  local length = math.floor(ticks * samplesInTick + 0.5)
  local drawn = drawnLength(points, length, region:length():samples())
  return { length = length, drawn = drawn, shape = nearestShape(levelAt(points, ticks / 2)) }
end

-- The fades of some regions by the regions' ids: { fadeIn = { length, drawn, shape }, fadeOut = … }.
function fades.read(list)
  local wanted, found = {}, {}
  for _, region in ipairs(list) do wanted[regions.id(region)] = region end
  if not next(wanted) then return found end
  local state = readState()
  for tag, bodyAt in state:gmatch("(<Region [^>]*[^/]>)()") do
    local id = tag:match(' id="(%d+)"')
    local region, ticks = wanted[id], tag:match(' length="%a(%d+)@')
    if region and ticks then
      local element = state:sub(bodyAt, (state:find("</Region>", bodyAt, true)))
      local samplesInTick = region:length():samples() / tonumber(ticks)
      found[id] = {
        fadeIn = readFade(element, "FadeIn", region, samplesInTick),
        fadeOut = readFade(element, "FadeOut", region, samplesInTick),
      }
    end
  end
  return found
end

-- Copy the fades of a region to another one, by the steps in which they were made.
function fades.copy(from, to, known)
  local old, new = from:to_audioregion(), to:to_audioregion()
  local fadeIn, fadeOut = known and known.fadeIn, known and known.fadeOut
  if fadeIn then
    new:set_fade_in_length(fadeIn.drawn)
    new:set_fade_in_shape(ARDOUR.FadeShape[fadeIn.shape])
    new:set_fade_in_length(fadeIn.length)
  end
  if fadeOut then
    new:set_fade_out_length(fadeOut.drawn)
    new:set_fade_out_shape(ARDOUR.FadeShape[fadeOut.shape])
    new:set_fade_out_length(fadeOut.length)
  end
  new:set_fade_in_active(old:fade_in_active())
  new:set_fade_out_active(old:fade_out_active())
end

return fades
