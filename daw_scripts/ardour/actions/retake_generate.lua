ardour {
  ["type"] = "EditorAction",
  name = "Retake: Generate sound at playhead…",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Makes a sound from your words, at the playhead, on the selected audio track or on a new one.]]
}

local form = require("form")
local regions = require("regions")
local talk = require("talk")
local work = require("work")

local TITLE = "Retake: Generate sound at playhead"

local function generate()
  local position, track = Session:transport_sample(), regions.selectedTrack()
  local values = form.ask(TITLE, "generate")
  if values then work.run(TITLE, { work.generateJob(values, position, track) }, values) end
end

return function() talk.guard(generate) end
