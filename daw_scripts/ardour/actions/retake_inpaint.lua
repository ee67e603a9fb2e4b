ardour {
  ["type"] = "EditorAction",
  name = "Retake: Inpaint range…",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Replaces the selected range of a region, following your words. Outside the range every sample stays the same.]]
}

local form = require("form")
local regions = require("regions")
local talk = require("talk")
local work = require("work")

local TITLE = "Retake: Inpaint range"

local function inpaint()
  local targets = regions.inRange()
  local values = form.ask(TITLE, "inpaint")
  local jobs = values and work.regionJobs(TITLE, "inpaint", targets, values)
  if jobs then work.run(TITLE, jobs, values) end
end

return function() talk.guard(inpaint) end
