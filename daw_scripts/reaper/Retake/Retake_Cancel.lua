-- @noindex
-- Cancels every job of the current project; takes that are already finished are still placed.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local jobs = require("jobs")

if jobs.removeAll(action.project()) == 0 then
  reaper.ShowMessageBox("Retake is not working on this project.", "Retake: Cancel", 0)
end
