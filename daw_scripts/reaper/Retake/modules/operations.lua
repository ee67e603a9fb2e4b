-- @noindex
-- What Retake's operations take, read from operations.json: the label, limits and default of each field, as in every
-- other program of Retake. Which fields one dialog shows together is decided here.

local json = require("json")

local operations = {}

local SURFACE = "reaper"
local FROM_SELECTION = { clip = true, start_s = true, end_s = true, like = true, follow = true } -- items, selection
local SETTINGS = { "model", "steps", "guidance", "sampler", "draft", "negative", "keep_air" } -- the same in all actions
local DIALOGS = {
  restyle = { "prompt", "strength", "structure", "seed", "candidates" },
  inpaint = { "prompt", "low_hz", "high_hz", "seed", "candidates" },
  generate = { "prompt", "seconds", "tries", "seed", "candidates", "like", "like_weight", "follow", "follow_what" },
}
local WITHOUT_DIALOG = { "vary", "upscale" } -- their own fields are in the Settings
local KEYS = { vary = { strength = "vary_strength" } } -- another default than restyle's, so remembered apart

-- What each kind of the table is in a dialog.
local KINDS = { string = "text", float = "number", integer = "whole", switch = "switch" }

-- What every job takes, such as the model, counts as a field of each operation.
local function withJobFields(content)
  for _, operation in pairs(content.operations) do
    for name, property in pairs(content.job.properties) do operation.properties[name] = property end
  end
  return content.operations
end

-- The table: beside the scripts where Retake was installed, in the folder of all hosts in its source code.
local function readTable()
  local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
  for _, path in ipairs({ folder .. "operations.json", folder .. "../../shared/operations.json" }) do
    local file = io.open(path, "rb")
    local content = file and json.decode(file:read("a"))
    if file then file:close() end
    if type(content) == "table" and content.operations and content.job then return withJobFields(content) end
  end
  error("operations.json is missing or damaged in " .. folder .. ". Run `retake install-scripts reaper`.", 0)
end

local known = readTable()

local function has(list, wanted)
  for _, entry in ipairs(list) do
    if entry == wanted then return true end
  end
  return false
end

local function isHere(operation, name)
  local property = known[operation].properties[name]
  return property ~= nil and has(property["x-surfaces"], SURFACE)
end

-- What people call an operation.
function operations.label(operation)
  return known[operation].label
end

-- The name under which an answer is remembered.
function operations.key(operation, name)
  return KEYS[operation] and KEYS[operation][name] or name
end

local function asText(value)
  if value == nil then return "" end
  if type(value) == "boolean" then return value and "yes" or "no" end
  return type(value) == "number" and string.format("%.10g", value) or value
end

-- What a field says before anybody has answered it; nil where no operation has a field of that key.
function operations.defaultOf(key)
  for operation, entry in pairs(known) do
    for name, property in pairs(entry.properties) do
      if operations.key(operation, name) == key then return asText(property.default) end
    end
  end
end

local function captionOf(property, isOptional)
  local label, unit = property["x-label"]:gsub(",", ""), property["x-unit"] or ""
  local words = {}
  if property["x-kind"] == "switch" then words[1] = "yes/no" end
  if property.minimum and property.maximum then
    words[1] = string.format("%.10g to %.10g", property.minimum, property.maximum)
  end
  if unit ~= "" then words[#words + 1] = unit end
  if isOptional then words[#words + 1] = "or empty" end
  return #words > 0 and label .. " (" .. table.concat(words, " ") .. ")" or label
end

local function seedField(property)
  local label = property["x-label"] .. " (a number or: random)"
  return { key = "seed", caption = label, kind = "seed", low = property.minimum, high = property.maximum }
end

-- A sound that the result should be like, or follow, is an item here: whether it is the selected one.
local function itemField(name, property)
  return { key = name, caption = property["x-label"] .. ": the selected item (yes/no)", kind = "switch" }
end

-- A field of a dialog, as the table describes it.
function operations.field(operation, name)
  local property = known[operation].properties[name]
  if name == "seed" then return seedField(property) end
  if name == "like" or name == "follow" then return itemField(name, property) end
  local kind = property.enum and "choice" or KINDS[property["x-kind"]]
  local isRequired = has(known[operation].required, name)
  local isOptional = property.default == nil and not isRequired
  if isRequired and kind == "text" and operation ~= "generate" then kind = "words" end -- a sound may say it there
  return {
    key = operations.key(operation, name),
    caption = captionOf(property, isOptional),
    kind = kind,
    low = property.minimum,
    high = property.maximum,
    choices = property.enum,
    whenEmpty = property["x-default"],
    isOptional = isOptional,
  }
end

-- The names of an operation's own fields: those of its dialog in their order, then what the table has in addition.
local function ownNames(operation)
  local names, more = {}, {}
  for _, name in ipairs(DIALOGS[operation] or {}) do
    if isHere(operation, name) then names[#names + 1] = name end
  end
  for name in pairs(known[operation].properties) do
    local isElsewhere = FROM_SELECTION[name] or has(SETTINGS, name) or has(names, name)
    if not isElsewhere and isHere(operation, name) then more[#more + 1] = name end
  end
  table.sort(more)
  return table.move(more, 1, #more, #names + 1, names)
end

-- The fields of the dialog of an operation.
function operations.dialog(operation)
  local fields = {}
  for index, name in ipairs(ownNames(operation)) do fields[index] = operations.field(operation, name) end
  return fields
end

-- The first operation that has a field here.
local function ownerOf(name)
  for _, operation in ipairs({ "restyle", "inpaint", "generate", "vary", "upscale" }) do
    if isHere(operation, name) then return operation end
  end
end

-- The fields of the Settings dialog: what all actions share, and what actions without a dialog of their own take.
function operations.settingsDialog()
  local fields, seen = {}, {}
  local function add(operation, name)
    local field = operation and operations.field(operation, name)
    if not field or seen[field.key] then return end
    if not has(SETTINGS, name) and name ~= "seed" and name ~= "candidates" then
      field.caption = operations.label(operation) .. ": " .. field.caption
    end
    fields[#fields + 1], seen[field.key] = field, true
  end
  for _, name in ipairs(SETTINGS) do add(ownerOf(name), name) end
  for _, operation in ipairs(WITHOUT_DIALOG) do
    for _, name in ipairs(ownNames(operation)) do add(operation, name) end
  end
  return fields
end

-- The seeds that there are, from the lowest to the highest.
function operations.seeds()
  local seed = known.generate.properties.seed
  return math.tointeger(seed.minimum), math.tointeger(seed.maximum)
end

-- The value that an answer stands for in a request; nil leaves the choice to Retake.
local function valueOf(property, text)
  if text == "" or text == nil then return nil end
  local kind = property["x-kind"]
  if kind == "switch" then return text == "yes" and 1 or nil end
  if kind == "integer" then return math.tointeger(tonumber(text)) end
  if kind == "float" then return tonumber(text) end
  return text
end

-- Write into a request what was answered; read(key) returns the text of an answer. The action itself fills in the seed,
-- the prompt, and what the selection says.
function operations.fill(request, read)
  for name, property in pairs(known[request.operation].properties) do
    local isOthers = FROM_SELECTION[name] or name == "seed" or name == "prompt"
    if not isOthers and isHere(request.operation, name) then
      request[name] = valueOf(property, read(operations.key(request.operation, name)))
    end
  end
  return request
end

return operations
