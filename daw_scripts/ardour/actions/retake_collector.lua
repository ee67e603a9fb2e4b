ardour {
  ["type"] = "EditorHook",
  name = "Retake: Collector",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Places finished takes in the session by itself, so that you can keep working.]]
}

function signals()
  return LuaSignal.Set():add({ [LuaSignal.LuaTimerDS] = true })
end

local batches = require("batches")
local placement = require("placement")
local talk = require("talk")

local TICKS_BETWEEN_LOOKS = 5 -- of a tenth of a second

-- Take over a batch that no window waits for, and place it when it is done.
local function look(batch, isFirst)
  if not batch.keeper or isFirst then batches.keep(batch, "collector") end
  if batch.keeper ~= "collector" then return end
  local news = batches.news(batch)
  if not news.isOver then return end
  batches.finish(batch)
  placement.place(batch, news)
end

local isBusy, isFirst, ticks = false, true, 0

return function()
  ticks = ticks + 1
  if isBusy or ticks % TICKS_BETWEEN_LOOKS ~= 0 then return end -- importing lets the timer tick
  isBusy = true
  talk.guard(function()
    for _, batch in pairs(batches.pending()) do look(batch, isFirst) end
  end)
  isFirst, isBusy = false, false
end
