ardour {
  ["type"] = "EditorAction",
  name = "Retake: Settings…",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Asks for what all of Retake's actions share: the model, steps, guidance, sampler and more.]]
}

local form = require("form")
local talk = require("talk")

return function()
  talk.guard(function() form.askSettings("Retake: Settings") end)
end
