ardour {
  ["type"] = "EditorAction",
  name = "Retake: Generate sound at playhead…",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Makes a sound from your words, at the playhead, on the selected audio track or on a new one; or a take of each selected region that follows how it moves.]]
}

local form = require("form")
local regions = require("regions")
local talk = require("talk")
local work = require("work")

local TITLE = "Retake: Generate sound at playhead"

local function generate()
  local position, track, targets = Session:transport_sample(), regions.selectedTrack(), regions.selected()
  local values = form.ask(TITLE, "generate")
  if not values then return end
  if values.follow and #targets == 0 then
    talk.complain("No audio region is selected that the sound could follow: click one with the Grab tool first.")
  end
  local jobs = values.follow and work.regionJobs(TITLE, "generate", targets, values)
  if not values.follow then jobs = { work.generateJob(values, position, track) } end
  if jobs then work.run(TITLE, jobs, values) end
end

return function() talk.guard(generate) end
