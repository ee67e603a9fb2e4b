-- @noindex
-- Adds another take of its own sound to each selected item, without words; a different one each time.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local settings = require("settings")
local tasks = require("tasks")

local TITLE = "Retake: Vary selected items"

local project = action.project()
if action.hasSelection(TITLE, project) then
  local seed = settings.freshSeed()
  action.run(TITLE, project, tasks.ofSelection(project, function(item)
    local request = settings.complete({ operation = "vary", seed = seed })
    return tasks.forTake(item, reaper.GetActiveTake(item), request)
  end))
end
