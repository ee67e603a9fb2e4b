ardour {
  ["type"] = "EditorAction",
  name = "Retake: Again with a new seed",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Repeats the last action of this session with another seed, without a dialog.]]
}

local batches = require("batches")
local talk = require("talk")
local work = require("work")

local TITLE = "Retake: Again with a new seed"

local function again()
  local last = batches.last()
  if not last then talk.complain("Retake has made nothing in this session yet. Restyle a region first.") end
  work.repeatLast(TITLE, last)
end

return function() talk.guard(again) end
