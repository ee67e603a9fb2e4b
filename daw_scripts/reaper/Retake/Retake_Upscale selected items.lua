-- @noindex
-- Adds the high frequencies that the selected items lack; the rest of their sound stays as it is.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local settings = require("settings")
local tasks = require("tasks")

local TITLE = "Retake: Upscale selected items"

local project = action.project()
if action.hasSelection(TITLE, project) then
  local seed = settings.freshSeed()
  action.run(TITLE, project, tasks.ofSelection(project, function(item)
    local request = settings.complete({ operation = "upscale", seed = seed })
    return tasks.forTake(item, reaper.GetActiveTake(item), request)
  end))
end
