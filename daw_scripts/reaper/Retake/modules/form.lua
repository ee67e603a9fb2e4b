-- @noindex
-- Dialogs: fields of text, checked when they are answered; ReaImGui draws them where it is installed.

local dialogText = require("dialog_text")
local settings = require("settings")

local form = {}

local SWITCH = { yes = "yes", y = "yes", ["1"] = "yes", no = "no", n = "no", ["0"] = "no", [""] = "no" }

local CONTROLS = "[\0-\31\127]+" -- %c and %s may take bytes of letters away, by the system's language

local function range(field)
  if field.low and field.high then return string.format(" from %.10g to %.10g", field.low, field.high) end
  return field.low and string.format(" of %.10g or more", field.low) or ""
end

local function checkNumber(field, text)
  local number = tonumber((text:gsub(",", ".")))
  local isFine = number and number >= (field.low or -math.huge) and number <= (field.high or math.huge)
  if isFine and field.kind == "whole" then isFine = math.tointeger(number) ~= nil end
  if not isFine then
    local sort = field.kind == "whole" and "a whole number" or "a number"
    return nil, string.format("%s: %s%s is needed, not “%s”.", field.caption, sort, range(field), text)
  end
  return field.kind == "whole" and tostring(math.tointeger(number)) or string.format("%.10g", number)
end

local CHECKS = {
  text = function(_, text) return text end,
  words = function(field, text)
    if text ~= "" then return text end
    return nil, field.caption .. ": a few words are needed, such as “heavy rain”."
  end,
  number = checkNumber,
  whole = checkNumber,
  seed = function(field, text)
    if text:lower() == "random" or text == "" then return "random" end
    return checkNumber({ caption = field.caption, kind = "whole", low = field.low, high = field.high }, text)
  end,
  choice = function(field, text)
    for _, choice in ipairs(field.choices) do
      if text:lower() == choice then return choice end
    end
    local choices = table.concat(field.choices, ", ")
    return nil, string.format("%s: one of %s is needed, not “%s”.", field.caption, choices, text)
  end,
  switch = function(field, text)
    local word = SWITCH[text:lower()]
    if word then return word end
    return nil, string.format("%s: yes or no is needed, not “%s”.", field.caption, text)
  end,
}

-- What is wrong with the first wrong answer; the others are tidied in place.
local function check(fields, answers)
  for _, field in ipairs(fields) do
    local text = answers[field.key]:gsub(CONTROLS, " "):match("^ *(.-) *$")
    if not (field.isOptional and text == "") then
      local tidy, problem = CHECKS[field.kind](field, text)
      if not tidy then return problem end
      text = tidy
    end
    answers[field.key] = text
  end
end

local function askNatively(title, fields, answers)
  local captions, values, places = {}, {}, {}
  for index, field in ipairs(fields) do
    captions[index] = field.caption
    values[index], places[index] = dialogText.show(answers[field.key])
  end
  local csv = table.concat(captions, ",") .. ",extrawidth=260,separator=\n"
  local isAnswered, text = reaper.GetUserInputs(title, #fields, csv, table.concat(values, "\n"))
  if not isAnswered then return nil end
  local typed, index = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    index = index + 1
    if fields[index] then typed[fields[index].key] = dialogText.read(line, places[index]) end
  end
  return typed
end

local function askAgainUntilFine(title, fields, answers, onAnswer)
  while answers do
    answers = askNatively(title, fields, answers)
    if not answers then return end
    local problem = check(fields, answers)
    if not problem then return onAnswer(answers) end
    reaper.ShowMessageBox(problem, title, 0)
  end
end

-- Ask for every field, with what was answered last time; onAnswer(answers) is not called when the user cancels.
function form.ask(title, fields, onAnswer)
  local answers = {}
  for _, field in ipairs(fields) do answers[field.key] = settings.get(field.key) end
  local function accept(given)
    for _, field in ipairs(fields) do settings.set(field.key, given[field.key]) end
    onAnswer(given)
  end
  if reaper.ImGui_CreateContext and reaper.ImGui_GetBuiltinPath then
    local isDrawn = pcall(function() require("imgui_form").ask(title, fields, answers, check, accept) end)
    if isDrawn then return end
  end
  askAgainUntilFine(title, fields, answers, accept)
end

return form
