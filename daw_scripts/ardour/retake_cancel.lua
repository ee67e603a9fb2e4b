-- Made by assemble.py from actions/retake_cancel.lua; change it there.
ardour {
  ["type"] = "EditorAction",
  name = "Retake: Cancel",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Takes back all that Retake is still making for this session.]]
}

function factory()
  local parts, loaded = {}, {}
  local function require(name)
    if not loaded[name] then loaded[name] = parts[name]() end
    return loaded[name]
  end

  parts["batches"] = function()
    -- Remembers in the session which jobs of which action are under way, and who waits for them.

    local folders = require("folders")
    local sender = require("sender")

    local batches = {}

    local function path()
      return folders.join(folders.ofSession(), "pending.json")
    end

    -- The batches under way, by id: { title, askedAt, values, keeper, jobs = { { job, request, place }, … } }.
    function batches.pending()
      local known = folders.readValue(path())
      return type(known) == "table" and known or {}
    end

    local function change(id, batch)
      local all = batches.pending()
      all[id] = batch
      if next(all) then folders.writeValue(path(), all) else os.remove(path()) end
    end

    -- Send the jobs of an action; one after the other they will be done.
    function batches.start(batch)
      batch.id, batch.askedAt = sender.freshJob(), os.time()
      for number, job in ipairs(batch.jobs) do
        job.job = batch.id .. "-" .. number
        sender.ask(job.job, job.request)
      end
      change(batch.id, batch)
      folders.writeValue(folders.join(folders.ofSession(), "last.json"), batch)
      return batch
    end

    -- What was asked for last in this session.
    function batches.last()
      return folders.readValue(folders.join(folders.ofSession(), "last.json"))
    end

    -- Say who waits for a batch: the window of its action, or the collector.
    function batches.keep(batch, keeper)
      batch.keeper = keeper
      change(batch.id, batch)
    end

    -- Who waits for a batch; nil when nobody does yet, and "gone" when it is over or was taken back.
    function batches.keeper(id)
      local batch = batches.pending()[id]
      if not batch then return "gone" end
      return batch.keeper
    end

    -- How a batch stands: its jobs' news, whether all are over, and how far it is.
    function batches.news(batch)
      local all = { isOver = true, progress = 0, stage = "queued", jobs = {} }
      for number, job in ipairs(batch.jobs) do
        local news = sender.news(job.job, batch.askedAt)
        all.jobs[number] = news
        all.isOver = all.isOver and news.isOver
        all.progress = all.progress + (news.isOver and 1 or news.progress) / #batch.jobs
        if news.state == "running" or #batch.jobs == 1 then all.stage = news.stage or news.state end
      end
      return all
    end

    function batches.cancel(batch)
      for _, job in ipairs(batch.jobs) do sender.cancel(job.job) end
    end

    function batches.finish(batch)
      for _, job in ipairs(batch.jobs) do sender.forget(job.job) end
      change(batch.id, nil)
    end

    return batches
  end

  parts["folders"] = function()
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
  end

  parts["json"] = function()
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
  end

  parts["sender"] = function()
    -- Speaks with the daemon through `retake-send`: a request file goes out, a reply file comes back (bridge/PROTOCOL.md).

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

    -- How a job stands, as a reply file tells it; `isOver` when nothing more will come.
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
  end

  parts["talk"] = function()
    -- Words for the musician: message boxes, and errors that end in one.

    local talk = {}

    local TITLE = "Retake"

    local function show(text, kind)
      LuaDialog.Message(TITLE, text, kind, LuaDialog.ButtonType.Close):run()
    end

    function talk.tell(text)
      show(text, LuaDialog.MessageType.Info)
    end

    -- End the action with a sentence.
    function talk.complain(sentence)
      error({ sentence = sentence }, 0)
    end

    -- Run an action; what goes wrong in it becomes a message box.
    function talk.guard(action)
      local isFine, problem = pcall(action)
      if isFine then return end
      if type(problem) == "table" and problem.sentence then
        show(problem.sentence, LuaDialog.MessageType.Warning)
      else
        show("Something went wrong that nobody foresaw; the original is untouched.\n" .. tostring(problem),
          LuaDialog.MessageType.Error)
      end
    end

    return talk
  end

  local batches = require("batches")
  local talk = require("talk")


  local function cancel()
    local count = 0
    for _, batch in pairs(batches.pending()) do
      batches.cancel(batch)
      batches.finish(batch)
      count = count + #batch.jobs
    end
    if count == 0 then talk.tell("Retake is making nothing for this session.") end
  end

  return function() talk.guard(cancel) end
end
