-- @noindex
-- A dialog drawn by ReaImGui: the same fields as GetUserInputs has, with sliders and check boxes.

local imguiForm = {}

local WIDTH = 460

local function number(text, otherwise)
  return tonumber((text:gsub(",", "."))) or otherwise
end

-- Its caption above a field, and the whole width for the field itself.
local function label(ImGui, context, field)
  ImGui.Text(context, field.caption)
  ImGui.SetNextItemWidth(context, -1)
  return "##" .. field.key
end

local WIDGETS = {
  number = function(ImGui, context, field, text)
    local name, value = label(ImGui, context, field), number(text, field.low)
    local _, chosen = ImGui.SliderDouble(context, name, value, field.low, field.high)
    return string.format("%.4g", chosen)
  end,
  whole = function(ImGui, context, field, text)
    local name, value = label(ImGui, context, field), math.floor(number(text, field.low))
    local _, chosen = ImGui.SliderInt(context, name, value, field.low, field.high)
    return tostring(chosen)
  end,
  choice = function(ImGui, context, field, text)
    local name, items, current = label(ImGui, context, field), { field.whenEmpty }, 0
    for index, choice in ipairs(field.choices) do
      items[index + 1] = choice
      if choice == text then current = index end
    end
    local _, chosen = ImGui.Combo(context, name, current, table.concat(items, "\0") .. "\0")
    return chosen > 0 and items[chosen + 1] or ""
  end,
  switch = function(ImGui, context, field, text)
    local _, isOn = ImGui.Checkbox(context, field.caption:gsub(" %(yes/no%)", ""), text == "yes")
    return isOn and "yes" or "no"
  end,
}

-- A field of text; the first one takes the keyboard when `hasKeys`, all its words selected: to type replaces them.
local function drawText(ImGui, context, field, text, hasKeys)
  local name = label(ImGui, context, field)
  if hasKeys then ImGui.SetKeyboardFocusHere(context) end
  local _, typed = ImGui.InputText(context, name, text, ImGui.InputTextFlags_AutoSelectAll)
  return typed
end

local function drawFields(ImGui, context, fields, answers, hasKeys)
  for _, field in ipairs(fields) do
    local isText = field.isOptional and field.kind ~= "choice" -- a slider cannot be empty
    local draw = not isText and WIDGETS[field.kind] or drawText
    answers[field.key] = draw(ImGui, context, field, answers[field.key], hasKeys)
    if draw == drawText then hasKeys = false end
  end
end

local function isPressed(ImGui, context, ...)
  for _, key in ipairs({ ... }) do
    if ImGui.IsKeyPressed(context, ImGui["Key_" .. key], false) then return true end -- not again while it is held
  end
  return false
end

-- Draw everything; return "go" when the user confirms, "stop" when they cancel.
local function drawDialog(ImGui, context, fields, answers, problem, hasKeys)
  local isNew = ImGui.IsWindowAppearing(context) -- the key that ran the action may still be down
  drawFields(ImGui, context, fields, answers, hasKeys or isNew)
  if problem then ImGui.TextWrapped(context, problem) end
  local isGo = ImGui.Button(context, "OK")
  ImGui.SameLine(context)
  local isStop = ImGui.Button(context, "Cancel")
  if not isNew and ImGui.IsWindowFocused(context) then
    isGo = isGo or isPressed(ImGui, context, "Enter", "KeypadEnter")
    isStop = isStop or isPressed(ImGui, context, "Escape")
  end
  return isStop and "stop" or isGo and "go" or nil
end

-- Show the dialog until it is answered. Raises where ReaImGui is too old, before anything is shown.
function imguiForm.ask(title, fields, answers, check, onAnswer)
  package.path = reaper.ImGui_GetBuiltinPath() .. "/?.lua;" .. package.path
  local ImGui = require("imgui")("0.9")
  local context = ImGui.CreateContext(title)
  local problem, hasKeys = nil, false
  local function draw()
    ImGui.SetNextWindowSize(context, WIDTH, 0, ImGui.Cond_Appearing)
    local isVisible, isOpen = ImGui.Begin(context, title, true)
    local verdict = nil
    if isVisible then
      verdict = drawDialog(ImGui, context, fields, answers, problem, hasKeys)
      ImGui.End(context)
    end
    hasKeys = false
    if verdict == "go" then
      problem = check(fields, answers)
      if not problem then return onAnswer(answers) end
      hasKeys = true
    end
    if isOpen and verdict ~= "stop" then reaper.defer(draw) end
  end
  reaper.defer(draw)
end

return imguiForm
