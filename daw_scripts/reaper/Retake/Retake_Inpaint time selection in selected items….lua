-- @noindex
-- Replaces the part of each selected item that is in the time selection; the rest stays the same, sample for sample.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local action = require("action")
local form = require("form")
local operations = require("operations")
local settings = require("settings")
local tasks = require("tasks")

local TITLE = "Retake: Inpaint time selection in selected items"

local function inpaint(answers, project, seed, item)
  local part, problem = tasks.selectedPart(project, item)
  if not part then return nil, problem end
  local request = settings.complete({ operation = "inpaint", prompt = answers.prompt, seed = seed })
  request.start_s, request.end_s = part.start_s, part.end_s
  return tasks.forTake(item, reaper.GetActiveTake(item), request)
end

local project = action.project()
if action.hasSelection(TITLE, project) then
  form.ask(TITLE, operations.dialog("inpaint"), function(answers)
    local seed = settings.chooseSeed(answers.seed)
    action.run(TITLE, project, tasks.ofSelection(project, function(item)
      return inpaint(answers, project, seed, item)
    end))
  end)
end
