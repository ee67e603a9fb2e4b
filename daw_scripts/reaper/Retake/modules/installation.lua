-- @noindex
-- Finds `retake-send` where Retake's installers put it: REAPER starts programs by their whole path only.

local json = require("json")

local installation = {}

local MAC_APP = "/Applications/Retake.app/Contents/MacOS"

local function join(...)
  for _, part in ipairs({ ... }) do
    if part == "" then return nil end
  end
  return table.concat({ ... })
end

-- Those of several folders that are known, in their order.
local function known(...)
  local folders = {}
  for index = 1, select("#", ...) do
    local folder = select(index, ...)
    if folder then folders[#folders + 1] = folder end
  end
  return folders
end

local function variable(name)
  return os.getenv(name) or ""
end

-- Windows gives Lua a user's folder in an old code page, which garbles some names; REAPER gives its own in UTF-8.
local function windowsFolders()
  local home = reaper.GetResourcePath():match("^(.*)[/\\]AppData[/\\]Roaming[/\\]") or ""
  return known(
    join(variable("LOCALAPPDATA"), "\\Programs\\Retake"),
    join(home, "\\AppData\\Local\\Programs\\Retake"),
    join(variable("ProgramFiles"), "\\Retake"),
    join(variable("USERPROFILE"), "\\.local\\bin"),
    join(home, "\\.local\\bin")
  )
end

local function macFolders()
  local home = variable("HOME")
  return known(MAC_APP, join(home, MAC_APP), join(home, "/.local/bin"), "/opt/homebrew/bin", "/usr/local/bin")
end

local function linuxFolders()
  return known(join(variable("HOME"), "/.local/bin"), "/opt/retake", "/usr/local/bin", "/usr/bin")
end

-- The folders to look in, the names that the program may have there, and what stands between both.
local function places()
  local system = reaper.GetOS()
  if system:find("^Win") then
    return windowsFolders, { "retake-sendw.exe", "retake-send.exe" }, "\\", "[^;]+"
  end
  local isMac = system:find("OSX", 1, true) or system:find("mac", 1, true)
  return isMac and macFolders or linuxFolders, { "retake-send" }, "/", "[^:]+"
end

-- What `retake install-scripts` wrote down: the program beside the scripts, or where it keeps its own.
local function writtenDown()
  local script = select(2, reaper.get_action_context())
  for _, folder in ipairs({ script:match("^(.*)[/\\]"), reaper.GetResourcePath() .. "/Scripts/Retake" }) do
    local file = io.open(folder .. "/retake.json", "rb")
    local location = file and json.decode(file:read("a"))
    if file then file:close() end
    if type(location) == "table" and type(location.send) == "string" then return location.send end
  end
end

local function search()
  local listFolders, names, separator, entry = places()
  local folders = listFolders()
  for folder in variable("PATH"):gmatch(entry) do folders[#folders + 1] = folder end
  for _, folder in ipairs(folders) do
    for _, name in ipairs(names) do
      if reaper.file_exists(folder .. separator .. name) then return folder .. separator .. name end
    end
  end
end

-- The program to start; where it is nowhere, the place where it was, or its bare name.
function installation.findSender()
  local named = writtenDown()
  if named and reaper.file_exists(named) then return named end
  return search() or named or "retake-send"
end

return installation
