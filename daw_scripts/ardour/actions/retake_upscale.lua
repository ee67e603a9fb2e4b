ardour {
  ["type"] = "EditorAction",
  name = "Retake: Upscale selected regions…",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Adds the high frequencies that each selected audio region lacks. The new takes are placed on top; the originals stay below, muted.]]
}

local form = require("form")
local regions = require("regions")
local talk = require("talk")
local work = require("work")

local TITLE = "Retake: Upscale selected regions"

local function upscale()
  local targets = regions.selected()
  if #targets == 0 then talk.complain("Select an audio region first: click it with the Grab tool.") end
  local values = form.ask(TITLE, "upscale")
  local jobs = values and work.regionJobs(TITLE, "upscale", targets, values)
  if jobs then work.run(TITLE, jobs, values) end
end

return function() talk.guard(upscale) end
