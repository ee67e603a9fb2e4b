-- Asks for words and numbers in one dialog, and remembers them for the next time. What a field is called, its limits and
-- its default come from the table of operations, as in every other program of Retake.

local folders = require("folders")
local operations = require("operations") -- made by the assembler from operations.json
local talk = require("talk")

local form = {}

local ON_TOP, NEW_PLAYLIST = "as a layer on top", "on a new playlist"
local SETTINGS = { "model", "steps", "guidance", "sampler", "draft", "negative", "keep_air" } -- the same in all actions
local DIALOGS = {
  restyle = { "prompt", "strength", "candidates", "structure" },
  inpaint = { "prompt", "candidates", "low_hz", "high_hz" },
  generate = { "prompt", "seconds", "candidates", "tries", "follow", "follow_what" },
  vary = { "prompt", "strength", "candidates" },
  upscale = { "prompt", "cutoff_hz", "candidates" },
}
local LAST = { "seed", "isRandom", "place" }
local OWN = { -- what only Ardour asks
  isRandom = { type = "checkbox", title = "New seed each time", default = false },
  place = {
    type = "dropdown",
    title = "Place takes",
    values = { [ON_TOP] = ON_TOP, [NEW_PLAYLIST] = NEW_PLAYLIST },
    default = ON_TOP,
  },
}

local function titleOf(field, isOptional)
  local words = {}
  if field.minimum and field.maximum and field.maximum <= 1000 then
    words[1] = string.format("%.10g to %.10g", field.minimum, field.maximum)
  end
  if field.unit ~= "" then words[#words + 1] = field.unit end
  if isOptional then words[#words + 1] = "or empty" end
  return #words > 0 and field.label .. " (" .. table.concat(words, " ") .. ")" or field.label
end

local function dropdown(field)
  local default = field.default or field.whenEmpty
  local values = { [default] = default }
  for _, choice in ipairs(field.choices) do values[choice] = choice end
  return { type = "dropdown", title = field.label, values = values, default = default }
end

-- A field as LuaDialog shows it. A number that may be left out is a text: Ardour's own number fields cannot be empty.
local function widgetOf(field)
  if field.choices then return dropdown(field) end
  if field.kind == "switch" then return { type = "checkbox", title = field.label, default = field.default } end
  if field.kind == "path" then return { type = "checkbox", title = field.label, default = false } end -- a region's file
  if field.kind == "string" then return { type = "entry", title = field.label, default = field.default or "" } end
  if field.default == nil then return { type = "entry", title = titleOf(field, true), default = "" } end
  local isWhole, isShare = field.kind == "integer", field.minimum == 0 and field.maximum == 1
  return {
    type = isShare and "slider" or "number",
    title = titleOf(field, false),
    min = field.minimum,
    max = field.maximum,
    step = not isShare and (isWhole and 1 or 0.5) or nil,
    digits = isWhole and 0 or 2,
    default = field.default,
  }
end

local function has(list, wanted)
  for _, entry in ipairs(list) do
    if entry == wanted then return true end
  end
  return false
end

-- The names of an operation's fields in the order of its dialog, with what the table has in addition.
local function namesOf(operation)
  local names, more, fields = {}, {}, operations[operation].fields
  for _, name in ipairs(DIALOGS[operation]) do
    if fields[name] then names[#names + 1] = name end
  end
  for name in pairs(fields) do
    if not (has(names, name) or has(SETTINGS, name) or has(LAST, name)) then more[#more + 1] = name end
  end
  table.sort(more)
  for _, list in ipairs({ more, LAST }) do table.move(list, 1, #list, #names + 1, names) end
  return names
end

local function settingsFields()
  local fields = {}
  for _, operation in pairs(operations) do
    for name, field in pairs(operation.fields) do
      if has(SETTINGS, name) then fields[name] = field end
    end
  end
  return fields
end

local function memoryPath()
  return folders.join(folders.ofUser(), "retake-settings.json")
end

-- What was answered last in a dialog; a value of another sort than its field's is forgotten.
local function recall(kind, widgets)
  local all = folders.readValue(memoryPath())
  local known = type(all) == "table" and all[kind] or {}
  local values = {}
  for key, widget in pairs(widgets) do
    local isFine = type(known[key]) == type(widget.default)
    if widget.values and isFine then isFine = widget.values[known[key]] ~= nil end
    if isFine then values[key] = known[key] else values[key] = widget.default end
  end
  return values
end

local function remember(kind, values)
  local all = folders.readValue(memoryPath())
  if type(all) ~= "table" then all = {} end
  all[kind] = values
  folders.writeValue(memoryPath(), all)
end

-- What a text says as the number of a field; nil for an empty one. Ends the action where it is not such a number.
local function numberFrom(text, field)
  text = text:match("^%s*(.-)%s*$"):gsub(",", ".")
  if text == "" then return nil end
  local number, isWhole = tonumber(text), field.kind == "integer"
  local isFine = number and number >= field.minimum and number <= field.maximum
  if isFine and isWhole then isFine = math.tointeger(number) ~= nil end
  if isFine then return isWhole and math.tointeger(number) or number end
  local sentence = "%s: %s from %.10g to %.10g is needed, not “%s”."
  local sort = isWhole and "a whole number" or "a number"
  return talk.complain(sentence:format(field.label, sort, field.minimum, field.maximum, text))
end

-- The value of a request that an answer stands for; nil leaves the choice to Retake.
local function valueOf(answer, field)
  if field.choices then return has(field.choices, answer) and answer or nil end
  if field.kind == "switch" then return answer and 1 or nil end
  if field.kind == "path" then return nil end -- whose file it is, the action knows
  if field.kind == "string" then return answer ~= "" and answer or nil end
  if type(answer) == "string" then return numberFrom(answer, field) end
  return field.kind == "integer" and math.floor(answer) or answer
end

-- Another seed than before.
function form.otherSeed(seed, isRandom)
  local field = operations.generate.fields.seed
  if not isRandom then return seed < field.maximum and seed + 1 or field.minimum end
  math.randomseed(ARDOUR.LuaAPI.monotonic_time())
  return math.random(0, 2147483647)
end

function form.isOnNewPlaylist(values)
  return values.place == NEW_PLAYLIST
end

-- Show widgets in an order and return what was answered; nil when the dialog was cancelled.
local function show(title, kind, widgets, names)
  local known, rows = recall(kind, widgets), {}
  for number, name in ipairs(names) do
    local row = { key = name }
    for key, value in pairs(widgets[name]) do row[key] = value end
    row.default = known[name]
    rows[number] = row
  end
  local entered = LuaDialog.Dialog(title, rows):run()
  if not entered then return nil end
  for key, value in pairs(entered) do known[key] = value end
  return known
end

-- Ask for what all actions share.
function form.askSettings(title)
  local fields, widgets, names = settingsFields(), {}, {}
  for _, name in ipairs(SETTINGS) do
    if fields[name] then names[#names + 1], widgets[name] = name, widgetOf(fields[name]) end
  end
  local entered = show(title, "settings", widgets, names)
  if not entered then return end
  for name, field in pairs(fields) do valueOf(entered[name], field) end -- complains of what is wrong
  remember("settings", entered)
end

-- Ask for what an operation takes, and return the answers, with the keys of a request in `request`; nil when the dialog
-- was cancelled.
function form.ask(title, operation)
  local fields, names, widgets = operations[operation].fields, namesOf(operation), {}
  for _, name in ipairs(names) do widgets[name] = OWN[name] or widgetOf(fields[name]) end
  local values = show(title, operation, widgets, names)
  if not values then return nil end
  values.prompt = values.prompt:match("^%s*(.-)%s*$")
  values.seed, values.candidates = math.floor(values.seed), math.floor(values.candidates)
  if values.isRandom then values.seed = form.otherSeed(values.seed, true) end
  remember(operation, values)
  if values.prompt == "" and fields.prompt.isRequired then
    talk.complain("Type a few words that say what it should sound like.")
  end
  local request, shared, sharedFields = {}, {}, settingsFields()
  for name, field in pairs(sharedFields) do shared[name] = widgetOf(field) end
  shared = recall("settings", shared)
  for name, field in pairs(fields) do
    local answer = values[name]
    if answer == nil then answer = shared[name] end
    request[name] = valueOf(answer, field)
  end
  values.request = request
  return values
end

return form
