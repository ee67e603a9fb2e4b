-- Small files in the session's `retake` folder and in Ardour's configuration folder. The only place that runs a shell.

local json = require("json")

local folders = {}

local api = ARDOUR.LuaAPI

folders.isWindows = api.build_filename("a", "b") ~= "a/b"

function folders.join(...)
  return api.build_filename(...)
end

function folders.exists(path)
  return api.file_test(path, api.FileTest.Exists)
end

-- Where a program is, by the search path; nil when it is nowhere. (What a shell says is lost: os.execute gives 0.)
function folders.findProgram(name)
  local separator, suffix = folders.isWindows and ";" or ":", folders.isWindows and ".exe" or ""
  for folder in (os.getenv("PATH") or ""):gmatch("[^" .. separator .. "]+") do
    local path = folders.join(folder, name .. suffix)
    if folders.exists(path) then return path end
  end
end

-- A word as the shell must see it.
function folders.quote(word)
  if folders.isWindows then return '"' .. word .. '"' end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- A folder that is there afterwards.
function folders.make(path)
  if not folders.exists(path) then
    os.execute((folders.isWindows and "mkdir " or "mkdir -p ") .. folders.quote(path))
  end
  if not folders.exists(path) then error({ sentence = "The folder " .. path .. " could not be made." }, 0) end
  return path
end

-- The session's folder for what Retake keeps of it.
function folders.ofSession()
  return folders.join(Session:path(), "retake")
end

function folders.ofUser()
  return ARDOUR.user_config_directory(-1)
end

function folders.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

-- The value in a JSON file; nil where there is none.
function folders.readValue(path)
  local text = folders.read(path)
  if not text then return nil end
  return (json.decode(text))
end

function folders.writeValue(path, value)
  local file, problem = io.open(path .. ".part", "wb")
  if not file then error({ sentence = "A file could not be written: " .. problem }, 0) end
  file:write(json.encode(value))
  file:close()
  if folders.isWindows then os.remove(path) end
  os.rename(path .. ".part", path)
end

return folders
