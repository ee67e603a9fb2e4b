-- Talks to the daemon through `retake-send`: a request file goes out, a reply file comes back (bridge/PROTOCOL.md).

local folders = require("folders")
local talk = require("talk")

local sender = {}

local INSTALL = "Run “retake install-scripts ardour” in a terminal, then try again."
local FIRST_WORD_S = 30 -- retake-send says within a second that it began
local ENDS = { done = true, failed = true, cancelled = true }

-- The program that `retake install-scripts` named beside the scripts; without it, what the search path has. On Windows
-- that is the twin of retake-send which opens no console.
local function findProgram()
  local location = folders.readValue(folders.join(folders.ofUser(), "scripts", "retake.json"))
  local program = type(location) == "table" and location.send
  if program then
    if folders.exists(program) then return program end
    talk.complain("retake-send is not at " .. program .. " any more.\n" .. INSTALL)
  end
  local windowless = folders.isWindows and folders.findProgram("retake-sendw")
  return windowless or folders.findProgram("retake-send") or talk.complain("Retake was not found on this computer.\n" .. INSTALL)
end

-- Start retake-send and go on. Ardour's own builds bring libraries that another program must not load.
local function launch(words)
  if folders.isWindows then return os.execute('start "" /b ' .. words) end
  local clean = os.getenv("PREBUNDLE_ENV") and "env -u LD_LIBRARY_PATH " or ""
  return os.execute(clean .. words .. " </dev/null >/dev/null 2>&1 &")
end

local function workPath(job, kind)
  return folders.join(folders.ofSession(), "work", job .. "." .. kind .. ".json")
end

-- A name for a job that no other has, on this machine and at any time.
function sender.freshJob()
  return string.format("ardour-%d-%d", os.time(), ARDOUR.LuaAPI.monotonic_time())
end

-- Send the request of a job; its daemon is started if none runs.
function sender.ask(job, request)
  local message = { job = job, client = "ardour", reply = workPath(job, "reply") }
  for key, value in pairs(request) do message[key] = value end
  local program, path = findProgram(), workPath(job, "request")
  folders.make(folders.join(folders.ofSession(), "work"))
  folders.writeValue(path, message)
  launch(folders.quote(program) .. " --start --request " .. folders.quote(path))
end

-- How a job stands, as its reply file says; `isOver` when nothing more will come.
function sender.news(job, askedAt)
  local news = folders.readValue(workPath(job, "reply"))
  if not news then
    local isLate = os.difftime(os.time(), askedAt) > FIRST_WORD_S
    if not isLate then return { state = "queued", progress = 0, stage = "starting" } end
    local text = "retake-send did not start within " .. FIRST_WORD_S .. " seconds"
    news = { state = "failed", progress = 0, error = { text = text, hint = INSTALL } }
  end
  news.isOver = ENDS[news.state] or false
  return news
end

function sender.cancel(job)
  launch(folders.quote(findProgram()) .. " cancel " .. folders.quote(job))
end

function sender.forget(job)
  os.remove(workPath(job, "request"))
  os.remove(workPath(job, "reply"))
end

return sender
