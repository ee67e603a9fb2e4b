-- @noindex
-- Asks for what all actions have in common; an empty field is left to Retake.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local form = require("form")
local operations = require("operations")

form.ask("Retake: Settings", operations.settingsDialog(), function() end)
