ardour {
  ["type"] = "EditorAction",
  name = "Retake: Inpaint range…",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Makes the selected range of a region anew, from your words. Outside the range every sample stays.]]
}

local form = require("form")
local regions = require("regions")
local talk = require("talk")
local work = require("work")

local TITLE = "Retake: Inpaint range"

local function inpaint()
  local targets = regions.inRange()
  local values = form.ask(TITLE, "inpaint", { "prompt", "candidates", "seed", "isRandom", "place" })
  local jobs = values and work.regionJobs(TITLE, "inpaint", targets, values)
  if jobs then work.run(TITLE, jobs, values) end
end

return function() talk.guard(inpaint) end
