-- @noindex
-- Takes back every job of the project in view; what is finished by then is put into place.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local jobs = require("jobs")

if jobs.removeAll(action.project()) == 0 then
  reaper.ShowMessageBox("Retake is not working on this project.", "Retake: Cancel", 0)
end
