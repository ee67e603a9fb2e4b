-- @noindex
-- A dialog drawn by ReaImGui: the same fields as GetUserInputs has, with sliders and check boxes.

local imguiForm = {}

local WIDTH = 420

local function number(text, otherwise)
  return tonumber((text:gsub(",", "."))) or otherwise
end

local WIDGETS = {
  number = function(ImGui, context, field, text)
    local _, value = ImGui.SliderDouble(context, field.caption, number(text, field.low), field.low, field.high)
    return string.format("%.4g", value)
  end,
  whole = function(ImGui, context, field, text)
    local _, value = ImGui.SliderInt(context, field.caption, math.floor(number(text, field.low)), field.low, field.high)
    return tostring(value)
  end,
  switch = function(ImGui, context, field, text)
    local _, isOn = ImGui.Checkbox(context, field.caption:gsub(" %(yes/no%)", ""), text == "yes")
    return isOn and "yes" or "no"
  end,
}

local function drawText(ImGui, context, field, text)
  local _, typed = ImGui.InputText(context, field.caption, text)
  return typed
end

-- Draw all fields; "go" when the user wants it, "stop" when not any more.
local function drawFields(ImGui, context, fields, answers, problem)
  for _, field in ipairs(fields) do
    local draw = not field.isOptional and WIDGETS[field.kind] or drawText
    answers[field.key] = draw(ImGui, context, field, answers[field.key])
  end
  if problem then ImGui.TextWrapped(context, problem) end
  local verdict = nil
  if ImGui.Button(context, "OK") then verdict = "go" end
  ImGui.SameLine(context)
  if ImGui.Button(context, "Cancel") then verdict = "stop" end
  return verdict
end

-- Show the dialog until it is answered. Raises where ReaImGui is too old, before anything is shown.
function imguiForm.ask(title, fields, answers, check, onAnswer)
  package.path = reaper.ImGui_GetBuiltinPath() .. "/?.lua;" .. package.path
  local ImGui = require("imgui")("0.9")
  local context = ImGui.CreateContext(title)
  local problem = nil
  local function draw()
    ImGui.SetNextWindowSize(context, WIDTH, 0, ImGui.Cond_Appearing)
    local isVisible, isOpen = ImGui.Begin(context, title, true)
    local verdict = nil
    if isVisible then
      verdict = drawFields(ImGui, context, fields, answers, problem)
      ImGui.End(context)
    end
    if verdict == "go" then
      problem = check(fields, answers)
      if not problem then return onAnswer(answers) end
    end
    if isOpen and verdict ~= "stop" then reaper.defer(draw) end
  end
  reaper.defer(draw)
end

return imguiForm
