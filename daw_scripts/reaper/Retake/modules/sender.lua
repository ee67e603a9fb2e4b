-- @noindex
-- Speaks with the daemon through `retake-send`: a request file goes out, a reply file comes back.

local installation = require("installation")
local json = require("json")

local sender = {}

local BACKGROUND = -2 -- of ExecProcess: do not wait, show no window
local FIRST_WORD_S = 30 -- retake-send says that it began within a second
local SILENCE_S = 900 -- a big model on a slow machine may load for minutes
local INSTALL = "Run “retake install-scripts reaper” in a terminal, then try again."

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

-- REAPER splits a command line at spaces, and knows three kinds of quotes but no escapes.
local function quote(word)
  for mark in ("\"'`"):gmatch(".") do
    if not word:find(mark, 1, true) then return mark .. word .. mark end
  end
  return nil
end

-- The folder for requests, replies and clips on their way.
function sender.workFolder()
  local folder = reaper.GetResourcePath() .. "/Data/Retake"
  reaper.RecursiveCreateDirectory(folder, 0)
  return folder
end

-- A path in that folder whose file does not exist yet.
function sender.freshPath(stem, suffix)
  local folder, number = sender.workFolder(), 1
  local safe = stem:gsub('[%c%s/\\:%*%?"<>|]+', " "):sub(1, 60):match("^%s*(.-)[%s%.]*$")
  local _, brokenAt = utf8.len(safe)
  if brokenAt then safe = safe:sub(1, brokenAt - 1) end
  if safe == "" then safe = "clip" end
  while true do
    local path = folder .. "/" .. safe .. (number == 1 and "" or " " .. number) .. suffix
    if not reaper.file_exists(path) then return path end
    number = number + 1
  end
end

local function cancelPath(job)
  return sender.workFolder() .. "/cancel " .. job .. ".json"
end

local function launch(requestPath, flags)
  local program = installation.findSender()
  if program:find("[/\\]") and not reaper.file_exists(program) then
    return "retake-send is not at " .. program .. " any more.\n" .. INSTALL
  end
  local first, second = quote(program), quote(requestPath)
  if not first or not second then return "a path holds every kind of quote: " .. program end
  if not reaper.ExecProcess(first .. " --request " .. second .. flags, BACKGROUND) then
    return "retake-send could not be started.\n" .. INSTALL
  end
end

-- Write a request file and start retake-send with it; a sentence when that did not work.
local function send(request, path, flags)
  local file, problem = io.open(path, "wb")
  if not file then return "the request could not be written: " .. problem end
  file:write(json.encode(request))
  file:close()
  return launch(path, flags)
end

local Conversation = {}
Conversation.__index = Conversation

-- Send the request of a job: a conversation, or nil and a sentence.
function sender.ask(request)
  local conversation = {
    job = request.job,
    requestPath = sender.freshPath(request.job, ".json"),
    replyPath = sender.freshPath(request.job .. " reply", ".json"),
    lastNewsAt = reaper.time_precise(),
  }
  request.reply = conversation.replyPath
  local problem = send(request, conversation.requestPath, " --start")
  request.reply = nil
  if problem then
    os.remove(conversation.requestPath)
    return nil, problem
  end
  return setmetatable(conversation, Conversation)
end

-- How the job stands, as bridge/PROTOCOL.md describes a reply file; nil and a sentence when no program answers.
function Conversation:poll()
  local text, now = read(self.replyPath), reaper.time_precise()
  local news = text and json.decode(text)
  if news and text ~= self.text then
    self.text, self.news, self.lastNewsAt = text, news, now
  end
  if not self.news and now - self.lastNewsAt > FIRST_WORD_S then
    return nil, "retake-send did not start within " .. FIRST_WORD_S .. " seconds.\n" .. INSTALL
  end
  if now - self.lastNewsAt > SILENCE_S then
    return nil, "Retake said nothing for 15 minutes. “retake status” in a terminal shows what it is doing."
  end
  return self.news or { state = "queued", progress = 0, stage = "starting" }
end

function Conversation:close()
  os.remove(self.requestPath)
  os.remove(self.replyPath)
  os.remove(cancelPath(self.job))
end

-- Ask the daemon to cancel a job; the answer is not waited for.
function sender.cancel(job)
  return send({ operation = "cancel", job = job }, cancelPath(job), "")
end

return sender
