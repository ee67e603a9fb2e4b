-- @description Retake: text-guided takes of your items, on your own machine
-- @author Retake
-- @version 0.1.0
-- @provides
--   [main] .
--   [main] Retake_Generate sound at edit cursor….lua
--   [main] Retake_Inpaint time selection in selected items….lua
--   [main] Retake_Upscale selected items.lua
--   [main] Retake_Vary selected items.lua
--   [main] Retake_More like this item.lua
--   [main] Retake_Again with a new seed.lua
--   [main] Retake_Cancel.lua
--   [main] Retake_Settings….lua
--   [nomain] modules/*.lua
--   [nomain] ../../shared/operations.json > operations.json
-- @about
--   Moves the selected items towards a few words; each gets new takes, and take 1 stays what it is.
--   The scripts need Retake itself on this machine: its README says how, then run `retake install-scripts reaper`.
-- @changelog
--   First version.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local form = require("form")
local operations = require("operations")
local settings = require("settings")
local tasks = require("tasks")

local TITLE = "Retake: Restyle selected items"
local PART = { key = "part", caption = "Only the time selection (yes/no)", kind = "switch" }

local function restyle(answers, project, seed, item)
  local part, problem = {}, nil
  if answers.part == "yes" then part, problem = tasks.selectedPart(project, item) end
  if not part then return nil, problem end
  local request = settings.complete({ operation = "restyle", prompt = answers.prompt, seed = seed })
  request.start_s, request.end_s = part.start_s, part.end_s
  return tasks.forTake(item, reaper.GetActiveTake(item), request)
end

local project = action.project()
if action.hasSelection(TITLE, project) then
  local fields = operations.dialog("restyle")
  fields[#fields + 1] = PART
  form.ask(TITLE, fields, function(answers)
    local seed = settings.chooseSeed(answers.seed)
    action.run(TITLE, project, tasks.ofSelection(project, function(item)
      return restyle(answers, project, seed, item)
    end))
  end)
end
