ardour {
  ["type"] = "EditorAction",
  name = "Retake: Restyle selected regions…",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Moves each selected audio region towards your words. The new takes are placed on top; the originals stay below, muted.]]
}

local form = require("form")
local regions = require("regions")
local talk = require("talk")
local work = require("work")

local TITLE = "Retake: Restyle selected regions"

local function restyle()
  local targets = regions.selected()
  if #targets == 0 then talk.complain("Select an audio region first: click it with the Grab tool.") end
  local values = form.ask(TITLE, "restyle")
  local jobs = values and work.regionJobs(TITLE, "restyle", targets, values)
  if jobs then work.run(TITLE, jobs, values) end
end

return function() talk.guard(restyle) end
