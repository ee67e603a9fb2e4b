ardour {
  ["type"] = "EditorAction",
  name = "Retake: Vary selected regions…",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Makes another take of each selected audio region from its own sound. The new takes are placed on top; the originals stay below, muted.]]
}

local form = require("form")
local regions = require("regions")
local talk = require("talk")
local work = require("work")

local TITLE = "Retake: Vary selected regions"

local function vary()
  local targets = regions.selected()
  if #targets == 0 then talk.complain("Select an audio region first: click it with the Grab tool.") end
  local values = form.ask(TITLE, "vary")
  local jobs = values and work.regionJobs(TITLE, "vary", targets, values)
  if jobs then work.run(TITLE, jobs, values) end
end

return function() talk.guard(vary) end
