-- @noindex
-- Gives each selected item another take of its own sound, without a word; another one each time.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local settings = require("settings")
local tasks = require("tasks")

local TITLE = "Retake: More like this item"

local project = action.project()
if action.hasSelection(TITLE, project) then
  local seed = settings.freshSeed()
  action.run(TITLE, project, tasks.ofSelection(project, function(item)
    local request = settings.forEveryRequest({ operation = "vary", seed = seed })
    request.strength = tonumber(settings.get("vary_strength"))
    return tasks.forTake(item, reaper.GetActiveTake(item), request)
  end))
end
