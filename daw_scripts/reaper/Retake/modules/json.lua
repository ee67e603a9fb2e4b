-- @noindex
-- JSON for request and reply files. Pure: text in, tables out, and back; null becomes nil.

local json = {}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function quote(text)
  local escaped = text:gsub('[%c"\\]', function(character)
    return ESCAPES[character] or string.format("\\u%04x", character:byte())
  end)
  return '"' .. escaped .. '"'
end

local function encodeTable(value)
  local parts = {}
  if #value > 0 then
    for index, entry in ipairs(value) do parts[index] = json.encode(entry) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, entry in pairs(value) do parts[#parts + 1] = quote(key) .. ":" .. json.encode(entry) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

-- Text of a string, number, boolean, list or table with string keys; an empty table is {}.
function json.encode(value)
  local kind = type(value)
  if kind == "string" then return quote(value) end
  if kind == "table" then return encodeTable(value) end
  if kind == "boolean" or math.type(value) == "integer" then return tostring(value) end
  return string.format("%.17g", value)
end

local parseValue

local function skipSpace(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function expect(text, at, character)
  at = skipSpace(text, at)
  if text:sub(at, at) ~= character then error("no JSON: " .. character .. " missing at " .. at, 0) end
  return at + 1
end

local function parseUnicode(text, at)
  local code = tonumber(text:sub(at, at + 3), 16)
  if code >= 0xD800 and code < 0xDC00 and text:sub(at + 4, at + 5) == "\\u" then
    local low = tonumber(text:sub(at + 6, at + 9), 16)
    return utf8.char(0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)), at + 10
  end
  if code >= 0xDC80 and code <= 0xDCFF then return string.char(code - 0xDC00), at + 4 end  -- a byte of a file's name
  return utf8.char(code), at + 4
end

local function parseString(text, at)
  local parts = {}
  at = expect(text, at, '"')
  while true do
    local stop = text:find('["\\]', at)
    if not stop then error("no JSON: a string without end", 0) end
    parts[#parts + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
    local letter = text:sub(stop + 1, stop + 1)
    if letter == "u" then
      parts[#parts + 1], at = parseUnicode(text, stop + 2)
    else
      parts[#parts + 1], at = UNESCAPES[letter] or letter, stop + 2
    end
  end
end

-- What stands between a pair of brackets, separated by commas; parseEntry(text, at) gives where it ended.
local function parseEntries(text, at, closing, parseEntry)
  at = skipSpace(text, at + 1)
  if text:sub(at, at) == closing then return at + 1 end
  while true do
    at = skipSpace(text, parseEntry(text, at))
    if text:sub(at, at) == closing then return at + 1 end
    at = expect(text, at, ",")
  end
end

local function parseList(text, at)
  local list = {}
  return list, parseEntries(text, at, "]", function(_, start)
    local value, stop = parseValue(text, start)
    list[#list + 1] = value
    return stop
  end)
end

local function parseObject(text, at)
  local object = {}
  return object, parseEntries(text, at, "}", function(_, start)
    local key, afterKey = parseString(text, start)
    local value, stop = parseValue(text, expect(text, afterKey, ":"))
    object[key] = value
    return stop
  end)
end

local WORDS = { ["true"] = true, ["false"] = false }

function parseValue(text, at)
  at = skipSpace(text, at)
  local first = text:sub(at, at)
  if first == "{" then return parseObject(text, at) end
  if first == "[" then return parseList(text, at) end
  if first == '"' then return parseString(text, at) end
  local word = text:match("^[%w%.%+%-]+", at)
  if not word then error("no JSON: nothing at " .. at, 0) end
  if word == "null" then return nil, at + #word end
  local value = WORDS[word]
  if value == nil then value = tonumber(word) end
  if value == nil then error("no JSON: " .. word, 0) end
  return value, at + #word
end

-- The value that a text holds; nil and a sentence when it is no JSON.
function json.decode(text)
  local isFine, value, stop = pcall(parseValue, text, 1)
  if not isFine then return nil, value end
  if skipSpace(text, stop) <= #text then return nil, "no JSON: more than one value" end
  return value
end

return json
