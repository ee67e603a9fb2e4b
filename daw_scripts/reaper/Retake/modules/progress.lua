-- @noindex
-- A small window that shows how far an action is, with a Cancel button; REAPER stays usable, and Space still plays.

local progress = {}

local WIDTH, HEIGHT, MARGIN = 380, 118, 14
local BUTTON = { width = 84, height = 24 }
local KEY_ESCAPE, KEY_SPACE, WINDOW_CLOSED = 27, 32, -1
local PLAY_STOP = 40044
local CENTRED = 1 | 4 -- of gfx.drawstr

local Window = {}
Window.__index = Window

function progress.open(title)
  gfx.init(title, WIDTH, HEIGHT, 0)
  gfx.setfont(1, "Arial", 15)
  return setmetatable({ isOpen = true, isHeld = false }, Window)
end

local function text(words, x, y, right, bottom, flags)
  gfx.x, gfx.y = x, y
  gfx.drawstr(words, flags or 0, right, bottom)
end

local function drawBar(fraction)
  local width = gfx.w - 2 * MARGIN
  gfx.set(0.3, 0.3, 0.3)
  gfx.rect(MARGIN, 58, width, 8)
  gfx.set(0.25, 0.65, 0.55)
  gfx.rect(MARGIN, 58, math.floor(width * math.min(math.max(fraction, 0), 1)), 8)
end

local function drawButton(x, y)
  gfx.set(0.35, 0.35, 0.35)
  gfx.rect(x, y, BUTTON.width, BUTTON.height)
  gfx.set(0.95, 0.95, 0.95)
  text("Cancel", x, y, x + BUTTON.width, y + BUTTON.height, CENTRED)
end

-- Whether the left mouse button was let go over the button it was pressed on.
function Window:isClicked(x, y)
  local isOver = gfx.mouse_x >= x and gfx.mouse_x < x + BUTTON.width
    and gfx.mouse_y >= y and gfx.mouse_y < y + BUTTON.height
  local isDown = gfx.mouse_cap & 1 == 1
  local isClicked = self.isHeld and not isDown and isOver
  self.isHeld = isDown and (self.isHeld or isOver)
  return isClicked
end

-- Draw one moment; true when the user wants to cancel. A window that is closed lets the work go on.
function Window:show(what, stage, fraction)
  if not self.isOpen then return false end
  local key = gfx.getchar()
  if key == WINDOW_CLOSED then
    self.isOpen = false
    return false
  end
  if key == KEY_SPACE then reaper.Main_OnCommand(PLAY_STOP, 0) end
  local x, y = gfx.w - MARGIN - BUTTON.width, gfx.h - MARGIN - BUTTON.height
  gfx.set(0.16, 0.16, 0.16)
  gfx.rect(0, 0, gfx.w, gfx.h)
  gfx.set(0.95, 0.95, 0.95)
  text(what, MARGIN, MARGIN, gfx.w - MARGIN, 34)
  gfx.set(0.7, 0.7, 0.7)
  text(stage, MARGIN, 36, gfx.w - MARGIN, 56)
  text("Closed, it goes on working.", MARGIN, y + 4, x - MARGIN, gfx.h)
  drawBar(fraction)
  drawButton(x, y)
  gfx.update()
  return key == KEY_ESCAPE or self:isClicked(x, y)
end

function Window:close()
  if self.isOpen then gfx.quit() end
  self.isOpen = false
end

return progress
