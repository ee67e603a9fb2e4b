-- Made by assemble.py from actions/retake_again.lua; change it there.
ardour {
  ["type"] = "EditorAction",
  name = "Retake: Again with a new seed",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Does once more what Retake did last in this session, with another seed, without a dialog.]]
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

  parts["work"] = function()
    -- From what an action is about to takes in the session: exports, asks, and waits in a window that can cancel.

    local batches = require("batches")
    local clip = require("clip")
    local folders = require("folders")
    local form = require("form")
    local placement = require("placement")
    local regions = require("regions")

    local work = {}

    local PAUSE_US = 40000
    local COLLECTOR_S = 1 -- within so long a collector that is set up takes a batch over
    local FAREWELL_S = 2 -- time to read that one need not wait
    local FAREWELL = "Work on; what is made comes by itself."

    local function inSeconds(samples)
      return samples / Session:nominal_sample_rate()
    end

    -- The name of a take in the session: what was asked for. Without a point: Ardour counts copies after the last one, and of
    -- a strength of 0.50 it would make 0.51.
    function work.takeName(operation, values)
      local words = values.prompt:sub(1, 60)
      local _, brokenAt = utf8.len(words)
      if brokenAt then words = words:sub(1, brokenAt - 1) end
      local how = operation == "restyle" and string.format("restyle %.0f %%", 100 * values.strength) or operation
      return string.format("%s (%s, seed %d)", words, how, values.seed)
    end

    local function common(operation, values)
      return {
        operation = operation,
        prompt = values.prompt,
        seed = values.seed,
        candidates = values.candidates,
        output_dir = placement.outputFolder(),
      }
    end

    -- The job of a target: a region, or a part of one, that is to be made anew.
    local function regionJob(operation, target, values, onBlock)
      local request, region = common(operation, values), target.region
      request.clip = clip.export(region, onBlock)
      if operation == "restyle" then request.strength = values.strength end
      if operation == "inpaint" then
        request.start_s, request.end_s = inSeconds(target.from), inSeconds(target.to)
      end
      local place = {
        region = regions.id(region),
        track = regions.id(target.track),
        source = regions.id(region:source(0)),
        start = region:start():samples(),
        position = region:position():samples(),
        label = region:name(),
        name = work.takeName(operation, values),
      }
      return { request = request, place = place }
    end

    -- The jobs of several targets; a long region is exported under a progress window. Nil when that was cancelled.
    function work.regionJobs(title, operation, targets, values)
      local jobs, window = {}, LuaDialog.ProgressWindow(title, true)
      for number, target in ipairs(targets) do
        jobs[number] = regionJob(operation, target, values, function(fraction)
          window:progress((number - 1 + fraction) / #targets, "Reading " .. target.region:name())
        end)
        if window:canceled() then jobs = nil break end
      end
      window:done()
      return jobs
    end

    function work.generateJob(values, position, track)
      local request = common("generate", values)
      request.seconds = values.seconds
      local place = { position = position, label = values.prompt, name = work.takeName("generate", values) }
      if track then place.track = regions.id(track) else place.isNewTrack = true end
      return { request = request, place = place }
    end

    -- Let the window say for a moment that the collector does the rest.
    local function bidFarewell(window, news)
      for _ = 1, FAREWELL_S * 1000000 // PAUSE_US do
        window:progress(math.min(news.progress, 0.99), FAREWELL)
        ARDOUR.LuaAPI.usleep(PAUSE_US)
        if window:canceled() then return end
      end
    end

    -- Show how it goes until all jobs are over, somebody else sees to them, or the musician cancels.
    local function follow(batch)
      local window, news, keeper = LuaDialog.ProgressWindow(batch.title, true), nil, nil
      local patience = COLLECTOR_S * 1000000 // PAUSE_US
      repeat
        news = batches.news(batch)
        window:progress(math.min(news.progress, 0.99), news.stage) -- meanwhile the collector may look, too
        ARDOUR.LuaAPI.usleep(PAUSE_US)
        patience = patience - 1
        keeper = batches.keeper(batch.id)
        if not keeper and patience <= 0 then batches.keep(batch, "window") end
      until news.isOver or window:canceled() or keeper == "collector" or keeper == "gone"
      if keeper == "collector" then bidFarewell(window, news) end
      local isCancelled = window:canceled()
      window:done()
      return news, isCancelled, keeper == "collector" or keeper == "gone"
    end

    -- Send the jobs and see them through.
    function work.run(title, jobs, values)
      folders.make(folders.ofSession())
      local batch = batches.start({ title = title, jobs = jobs, values = values })
      local news, isCancelled, isElsewhere = follow(batch)
      if isCancelled then batches.cancel(batch) end
      if isElsewhere and not isCancelled then return end
      batches.finish(batch)
      if not isCancelled then placement.place(batch, news) end
    end

    -- Send what was asked for last once more, with another seed.
    function work.repeatLast(title, last)
      local values = last.values
      values.seed = form.otherSeed(values.seed, values.isRandom)
      for _, job in ipairs(last.jobs) do
        job.request.seed = values.seed
        job.place.name = work.takeName(job.request.operation, values)
      end
      work.run(title, last.jobs, values)
    end

    return work
  end

  parts["clip"] = function()
    -- Writes what a region plays into a WAV file: 32-bit float, all channels, without the region's gain and fades.

    local folders = require("folders")
    local regions = require("regions")
    local talk = require("talk")

    local clip = {}

    local BLOCK = 8192
    local VALUES_AT_ONCE = 192 -- packed by one call; more would need more of Lua's stack
    local LARGEST = 0xFFFFFFFF - 36

    local function header(channels, length)
      local rate = math.floor(Session:nominal_sample_rate())
      local bytes = length * channels * 4
      if bytes > LARGEST then talk.complain("The region is too long: a clip has room for 4 GB.") end
      return string.pack("<c4I4c4c4I4I2I2I4I4I2I2c4I4", "RIFF", 36 + bytes, "WAVE", "fmt ", 16, 3, channels, rate,
        rate * channels * 4, channels * 4, 32, "data", bytes)
    end

    -- The samples of some columns, one channel after the other for each moment, as bytes.
    local function interleave(columns, length)
      local parts, values = {}, {}
      for moment = 1, length do
        for channel = 1, #columns do values[#values + 1] = columns[channel][moment] end
        if #values >= VALUES_AT_ONCE or moment == length then
          parts[#parts + 1] = string.pack("<" .. ("f"):rep(#values), table.unpack(values))
          values = {}
        end
      end
      return table.concat(parts)
    end

    local function writeSamples(file, region, onBlock)
      local readable, length = region:to_readable(), region:to_readable():readable_length()
      local memory = ARDOUR.DSP.DspShm(BLOCK)
      for at = 0, length - 1, BLOCK do
        local count, columns = math.min(BLOCK, length - at), {}
        for channel = 1, region:n_channels() do
          if readable:read(memory:to_float(0), at, count, channel - 1) ~= count then
            talk.complain("Ardour could not read the audio of “" .. region:name() .. "”.")
          end
          columns[channel] = memory:to_float(0):get_table(count)
        end
        file:write(interleave(columns, count))
        onBlock((at + count) / length)
      end
    end

    -- A file name that tells the same audio from any other: the region's sources never change.
    local function fileName(region)
      local name = region:name():gsub('[%c/\\:%*%?"<>|]+', " "):sub(1, 40)
      local _, brokenAt = utf8.len(name)
      if brokenAt then name = name:sub(1, brokenAt - 1) end
      local source = regions.id(region:source(0))
      return string.format("%s %s-%d-%d.wav", name, source, region:start():samples(), region:length():samples())
    end

    -- The path of a clip that holds a region's audio; `onBlock` hears the fraction that is written.
    function clip.export(region, onBlock)
      local audio = region:to_audioregion()
      if audio:n_channels() > 2 then
        talk.complain("“" .. region:name() .. "” has " .. audio:n_channels() .. " channels; Retake takes mono and stereo.")
      end
      local folder = folders.make(folders.join(folders.ofSession(), "clips"))
      local path = folders.join(folder, fileName(region))
      if folders.exists(path) then return path end
      local file, problem = io.open(path .. ".part", "wb")
      if not file then talk.complain("The clip could not be written: " .. problem) end
      file:write(header(audio:n_channels(), region:length():samples()))
      local isFine, error = pcall(writeSamples, file, audio, onBlock)
      file:close()
      if not isFine then
        os.remove(path .. ".part")
        talk.complain(type(error) == "table" and error.sentence or tostring(error))
      end
      os.rename(path .. ".part", path)
      return path
    end

    return clip
  end

  parts["regions"] = function()
    -- Finds regions and tracks: those that are selected, those that a range touches, those of an id.

    local talk = require("talk")

    local regions = {}

    function regions.id(object)
      return object:to_stateful():id():to_s()
    end

    local function audioTracks()
      local list = {}
      for route in Session:get_tracks():iter() do
        local track = route:to_track()
        if not track:isnil() and not track:to_audio_track():isnil() then list[#list + 1] = track end
      end
      return list
    end

    -- The region of an id and its track, wherever it is now; nothing when it is on no track.
    function regions.find(id)
      for _, track in ipairs(audioTracks()) do
        for region in track:playlist():region_list():iter() do
          if regions.id(region) == id then return region, track end
        end
      end
    end

    -- The region on a track that plays the same part of a source at the same place: a copied playlist has such twins.
    local function twin(track, source, start, position)
      for region in track:playlist():region_list():iter() do
        local isThere = region:position():samples() == position and region:start():samples() == start
        if isThere and regions.id(region:source(0)) == source then return region end
      end
    end

    -- The region that stands for another one which is on no track any more, and its track.
    function regions.findTwin(place)
      local track = regions.findTrack(place.track)
      local region = track and twin(track, place.source, place.start, place.position)
      if region then return region, track end
    end

    -- A region's twin on a track whose playlist was copied.
    function regions.twinOf(region, track)
      return twin(track, regions.id(region:source(0)), region:start():samples(), region:position():samples())
    end

    function regions.findTrack(id)
      for _, track in ipairs(audioTracks()) do
        if regions.id(track) == id then return track end
      end
    end

    -- The first selected audio track; nothing when none is.
    function regions.selectedTrack()
      for route in Editor:get_selection().tracks:routelist():iter() do
        local track = route:to_track()
        if not track:isnil() and not track:to_audio_track():isnil() then return track end
      end
    end

    -- A region with its track and the samples of it that are meant, counted from its start.
    local function target(region, from, to)
      local _, track = regions.find(regions.id(region))
      if not track then return nil end
      local length = region:length():samples()
      return { region = region, track = track, from = math.max(from or 0, 0), to = math.min(to or length, length) }
    end

    -- The selected audio regions, in the order of time.
    function regions.selected()
      local list = {}
      for region in Editor:get_selection().regions:regionlist():iter() do
        if not region:to_audioregion():isnil() then list[#list + 1] = target(region) end
      end
      table.sort(list, function(a, b) return a.region:position():samples() < b.region:position():samples() end)
      return list
    end

    -- The selected range, in samples; nothing when none is selected.
    function regions.range()
      local time = Editor:get_selection().time
      local from, to = time:start_sample(), time:end_sample()
      if from < to then return from, to end
    end

    local function cut(region, from, to)
      local position = region:position():samples()
      local cutTarget = target(region, from - position, to - position)
      return cutTarget and cutTarget.from < cutTarget.to and cutTarget or nil
    end

    -- Of a track, the regions that a range touches and that can be heard there.
    local function heard(track, from, to)
      local list, playlist = {}, track:playlist()
      local touched = playlist:regions_touched(Temporal.timepos_t(from), Temporal.timepos_t(to - 1))
      for region in touched:iter() do
        local part = not region:to_audioregion():isnil() and cut(region, from, to)
        if part then
          local middle = region:position():samples() + (part.from + part.to) // 2
          local top = playlist:top_unmuted_region_at(Temporal.timepos_t(middle))
          if not top:isnil() and regions.id(top) == regions.id(region) then list[#list + 1] = part end
        end
      end
      return list
    end

    -- What a range means: its part of the selected regions; without any, of what is heard on the selected tracks.
    function regions.inRange()
      local from, to = regions.range()
      if not from then talk.complain("Select a range first: press R and drag over the part that is to be made anew.") end
      local list = {}
      for _, whole in ipairs(regions.selected()) do list[#list + 1] = cut(whole.region, from, to) end
      if #list > 0 then return list end
      for route in Editor:get_selection().tracks:routelist():iter() do
        local track = route:to_track()
        if not track:isnil() then
          for _, part in ipairs(heard(track, from, to)) do list[#list + 1] = part end
        end
      end
      if #list == 0 then talk.complain("There is no audio region in the selected range.") end
      return list
    end

    return regions
  end

  parts["form"] = function()
    -- Asks for words and numbers in one dialog, and remembers them for the next time.

    local folders = require("folders")
    local talk = require("talk")

    local form = {}

    local LARGEST_SEED = 4294967295
    local ON_TOP, NEW_PLAYLIST = "as a layer on top", "on a new playlist"
    local DEFAULTS = { prompt = "", strength = 0.5, seconds = 5.12, seed = 1, isRandom = false, candidates = 1, place = ON_TOP }

    local FIELDS = {
      prompt = { type = "entry", title = "What it should sound like" },
      strength = { type = "slider", title = "Strength (0 keeps it, 1 makes it anew)", min = 0, max = 1, digits = 2 },
      seconds = { type = "number", title = "Length (seconds)", min = 0.1, max = 600, step = 0.5, digits = 2 },
      candidates = { type = "number", title = "Takes, best on top", min = 1, max = 16, step = 1, digits = 0 },
      seed = { type = "number", title = "Seed", min = 0, max = LARGEST_SEED, step = 1, digits = 0 },
      isRandom = { type = "checkbox", title = "Another seed each time" },
      place = { type = "dropdown", title = "Takes lie", values = { [ON_TOP] = ON_TOP, [NEW_PLAYLIST] = NEW_PLAYLIST } },
    }

    local function memoryPath()
      return folders.join(folders.ofUser(), "retake-settings.json")
    end

    local function recall(kind)
      local all = folders.readValue(memoryPath())
      local known = type(all) == "table" and all[kind] or {}
      local values = {}
      for key, default in pairs(DEFAULTS) do
        values[key] = type(known[key]) == type(default) and known[key] or default
      end
      return values
    end

    local function remember(kind, values)
      local all = folders.readValue(memoryPath())
      if type(all) ~= "table" then all = {} end
      all[kind] = values
      folders.writeValue(memoryPath(), all)
    end

    -- Another seed than before.
    function form.otherSeed(seed, isRandom)
      if not isRandom then return (seed + 1) % (LARGEST_SEED + 1) end
      math.randomseed(ARDOUR.LuaAPI.monotonic_time())
      return math.random(0, 2147483647)
    end

    function form.isOnNewPlaylist(values)
      return values.place == NEW_PLAYLIST
    end

    -- Show the fields of an action and give what was entered; nil when the dialog was cancelled.
    function form.ask(title, kind, keys)
      local known, fields = recall(kind), {}
      for number, key in ipairs(keys) do
        local field = { key = key, default = known[key] }
        for name, value in pairs(FIELDS[key]) do field[name] = value end
        fields[number] = field
      end
      local entered = LuaDialog.Dialog(title, fields):run()
      if not entered then return nil end
      for key, value in pairs(entered) do known[key] = value end
      known.seed = math.floor(known.seed)
      known.candidates = math.floor(known.candidates)
      known.prompt = known.prompt:match("^%s*(.-)%s*$")
      if known.isRandom then known.seed = form.otherSeed(known.seed, true) end
      remember(kind, known)
      if known.prompt == "" then talk.complain("Type a few words that say what it should sound like.") end
      return known
    end

    return form
  end

  parts["placement"] = function()
    -- Brings finished takes into the session: imports the files, and lays them on their track in one undo step.

    local fades = require("fades")
    local folders = require("folders")
    local form = require("form")
    local regions = require("regions")
    local talk = require("talk")

    local placement = {}

    local function wholeFileRegions()
      local known = {}
      for _, region in ARDOUR.RegionFactory.regions():iter() do
        if region:whole_file() then known[regions.id(region)] = region end
      end
      return known
    end

    -- Import a file into the session's region list; nil when Ardour would not. An import has an undo step of its own, which
    -- would have to be undone as well; begun inside of another step that stays empty, it goes with that one.
    local function import(path)
      local before, files = wholeFileRegions(), C.StringVector()
      files:push_back(path)
      Session:begin_reversible_command("Retake: import")
      Editor:do_import(files, Editing.ImportDistinctFiles, Editing.ImportAsRegion, ARDOUR.SrcQuality.SrcBest,
        ARDOUR.MidiTrackNameSource.SMFTrackName, ARDOUR.MidiTempoMapDisposition.SMFTempoIgnore, Temporal.timepos_t(0),
        ARDOUR.PluginInfo(), ARDOUR.Track(), false)
      Session:abort_empty_reversible_command()
      for id, region in pairs(wholeFileRegions()) do
        if not before[id] then return region end
      end
    end

    local function makeTrack()
      local tracks = Session:new_audio_track(1, 2, nil, 1, "Retake", ARDOUR.PresentationInfo.max_order,
        ARDOUR.TrackMode.Normal, true)
      for track in tracks:iter() do return track end
    end

    -- Where a take goes: with its region, if that was moved; else where it was asked for.
    local function findPlace(place)
      local region, track = nil, nil
      if place.region then region, track = regions.find(place.region) end
      if place.region and not region then region, track = regions.findTwin(place) end
      if region then return track, region:position():samples() + place.start - region:start():samples(), region end
      if place.isNewTrack then return nil, place.position end
      return regions.findTrack(place.track), place.position
    end

    -- The newest region in a playlist: adding a whole file puts a copy of it there.
    local function add(playlist, region, position)
      local known = {}
      for old in playlist:region_list():iter() do known[regions.id(old)] = true end
      playlist:add_region(region, Temporal.timepos_t(position), 1, false, 0, 0, false)
      for added in playlist:region_list():iter() do
        if not known[regions.id(added)] then return added end
      end
    end

    -- Let a take sound as loud as the region that it was made from, at every moment, and cover what that one covers.
    local function follow(take, original, itsFades)
      local new, old = take:to_audioregion(), original:to_audioregion()
      new:set_scale_amplitude(old:scale_amplitude())
      take:set_opaque(original:opaque())
      fades.copy(original, take, itsFades)
      if not old:envelope_active() then return end
      new:envelope():clear_list()
      for event in old:envelope():events():iter() do new:envelope():add(event.when, event.value, false, true) end
      new:set_envelope_active(true)
    end

    local function mute(region)
      if region:muted() then return end
      region:to_stateful():clear_changes()
      region:set_muted(true)
      Session:add_stateful_diff_command(region:to_statefuldestructible())
    end

    -- Whether what lies below a take can be heard through it: below its fades Ardour fades in what lies there, and a region
    -- may be set to cover nothing. The fades that every region has by itself, 64 samples long, do not count.
    local function isHeardThrough(item)
      local has = item.fades or {}
      return not item.original:opaque() or has.fadeIn ~= nil or has.fadeOut ~= nil
    end

    -- The takes that lie exactly where a region does; we know them by their names.
    local function takesOver(playlist, region)
      local list, from, length = {}, region:position():samples(), region:length():samples()
      for other in playlist:region_list():iter() do
        local isThere = other:position():samples() == from and other:length():samples() == length
        if isThere and other:name():find("%(%l+[^()]*, seed %d+%)") then list[#list + 1] = other end
      end
      return list
    end

    -- Lay imported takes on a track, the best one last and so on top; what would sound through it is muted.
    local function lay(item)
      local playlist, original = item.track:playlist(), item.original
      local isOneOnly = original and isHeardThrough(item)
      if original then mute(original) end
      for _, take in ipairs(isOneOnly and takesOver(playlist, original) or {}) do mute(take) end
      playlist:to_stateful():clear_changes()
      for number = #item.imported, 1, -1 do
        local take = add(playlist, item.imported[number], item.position)
        take:set_name(item.name .. (number > 1 and " #" .. number or ""))
        if original then follow(take, original, item.fades) end
        if isOneOnly and number > 1 then take:set_muted(true) end
      end
      Session:add_stateful_diff_command(playlist:to_statefuldestructible())
    end

    -- Import the takes of one job and find out where they go; the sentence of what cannot be placed.
    local function prepare(job, paths)
      local item = { name = job.place.name, imported = {} }
      for _, path in ipairs(paths) do
        local region = import(path)
        if not region then return nil, "Ardour did not import " .. path end
        item.imported[#item.imported + 1] = region
      end
      item.track, item.position, item.original = findPlace(job.place)
      if not item.track and job.place.isNewTrack then item.track = makeTrack() end
      if not item.track then return nil, "The track is gone; the take “" .. item.name .. "” is in the region list." end
      return item
    end

    local function describeFailure(job, news)
      local problem = news.error or { text = "no reason was given", hint = "" }
      return string.format("%s: %s.\n%s", job.place.label, problem.text, problem.hint)
    end

    -- Give each track that takes go to a copy of its playlist, once; from then on the original is its twin in the copy.
    local function openPlaylists(items)
      local isOpen = {}
      for _, item in ipairs(items) do
        local id = regions.id(item.track)
        if not isOpen[id] then item.track:use_copy_playlist() end
        isOpen[id] = true
        item.original = item.original and regions.twinOf(item.original, item.track)
      end
    end

    local function readFades(items)
      local originals = {}
      for _, item in ipairs(items) do originals[#originals + 1] = item.original end
      local known = fades.read(originals)
      for _, item in ipairs(items) do item.fades = item.original and known[regions.id(item.original)] end
    end

    -- Import what a batch brought; sentences about what failed, and about what the daemon remarked.
    local function bring(batch, news)
      local items, sentences = {}, {}
      for number, job in ipairs(batch.jobs) do
        local told = news.jobs[number]
        for _, warning in ipairs(told.warnings or {}) do sentences[#sentences + 1] = warning end
        if told.state == "done" then
          local item, problem = prepare(job, told.paths)
          items[#items + 1] = item
          sentences[#sentences + 1] = problem
        elseif told.state == "failed" then
          sentences[#sentences + 1] = describeFailure(job, told)
        end
      end
      return items, sentences
    end

    -- Place all that a batch brought, in one undo step.
    function placement.place(batch, news)
      local items, sentences = bring(batch, news)
      readFades(items)
      if form.isOnNewPlaylist(batch.values) then openPlaylists(items) end
      Session:begin_reversible_command(batch.title)
      local isFine, problem = pcall(function()
        for _, item in ipairs(items) do lay(item) end
      end)
      if not Session:abort_empty_reversible_command() then Session:commit_reversible_command(nil) end
      if not isFine then error(problem, 0) end
      if #sentences > 0 then talk.tell(batch.title .. "\n\n" .. table.concat(sentences, "\n\n")) end
    end

    -- Where the daemon writes takes of this session.
    function placement.outputFolder()
      return folders.join(folders.ofSession(), "takes")
    end

    return placement
  end

  parts["fades"] = function()
    -- The fades of regions. Ardour's Lua can set a fade, but not read one; what a session's state says of it can be read. So
    -- the state is written into a file of its own, in the way of Ardour's automatic backup: the session stays as it is.

    local folders = require("folders")
    local regions = require("regions")

    local fades = {}

    local SNAPSHOT = "retake-fades"
    local SHAPES = { FadeFast = 0.032, FadeSlow = 0.097, FadeLinear = 0.5, FadeSymmetric = 0.6, FadeConstantPower = 0.707 }
    -- by the level in the middle of a fade, which no two of Ardour's shapes share
    local SHORTEST = 64 -- samples of a fade
    local LONGEST_DRAWN = 1000000 -- looked at

    -- The session's state as text; nothing where it cannot be had, and takes then have the fades that every region has.
    local function readState()
      local isFine, status = pcall(function() return Session:save_state(SNAPSHOT, true, false, false, false, false) end)
      local path = folders.join(Session:path(), SNAPSHOT .. ".pending")
      local text = isFine and status == 0 and folders.read(path) or ""
      os.remove(path)
      return text
    end

    local function nearestShape(level)
      local nearest
      for shape, middle in pairs(SHAPES) do
        if not nearest or math.abs(middle - level) < math.abs(SHAPES[nearest] - level) then nearest = shape end
      end
      return nearest
    end

    -- The level of a curve at a moment, between the points that stand around it.
    local function levelAt(points, moment)
      for number = 2, #points do
        local before, after = points[number - 1], points[number]
        if moment <= after.at then
          return before.level + (after.level - before.level) * (moment - before.at) / (after.at - before.at)
        end
      end
    end

    -- The length that a fade had when its shape was drawn: Ardour puts each point on a whole sample, and another length
    -- only stretches what was drawn. The shortest one at which all points do that gives the same curve.
    local function drawnLength(points, length, longest)
      local ticks = points[#points].at
      for drawn = SHORTEST, math.min(longest, LONGEST_DRAWN) do
        local isWhole = true
        for number = 1, #points do
          local sample = points[number].at / ticks * drawn
          if math.abs(sample - math.floor(sample + 0.5)) > 0.01 then isWhole = false break end
        end
        if isWhole then return drawn end
      end
      return length
    end

    -- How a fade was made; nil for the very short one that every region gets by itself, which no list is written of.
    local function readFade(element, name, region, samplesInTick)
      local list, points = element:match("<" .. name .. ">(.-)</" .. name .. ">"), {}
      for at, level in (list or ""):gmatch("%a(%d+) ([%d%.e+-]+)") do
        points[#points + 1] = { at = tonumber(at), level = tonumber(level) }
      end
      if #points < 2 then return nil end
      local ticks = points[#points].at
      local length = math.floor(ticks * samplesInTick + 0.5)
      local drawn = drawnLength(points, length, region:length():samples())
      return { length = length, drawn = drawn, shape = nearestShape(levelAt(points, ticks / 2)) }
    end

    -- The fades of some regions by the regions' ids: { fadeIn = { length, drawn, shape }, fadeOut = … }.
    function fades.read(list)
      local wanted, found = {}, {}
      for _, region in ipairs(list) do wanted[regions.id(region)] = region end
      if not next(wanted) then return found end
      local state = readState()
      for tag, bodyAt in state:gmatch("(<Region [^>]*[^/]>)()") do
        local id = tag:match(' id="(%d+)"')
        local region, ticks = wanted[id], tag:match(' length="%a(%d+)@')
        if region and ticks then
          local element = state:sub(bodyAt, (state:find("</Region>", bodyAt, true)))
          local samplesInTick = region:length():samples() / tonumber(ticks)
          found[id] = {
            fadeIn = readFade(element, "FadeIn", region, samplesInTick),
            fadeOut = readFade(element, "FadeOut", region, samplesInTick),
          }
        end
      end
      return found
    end

    -- Give a region the fades of another one, by the steps in which those were made.
    function fades.copy(from, to, known)
      local old, new = from:to_audioregion(), to:to_audioregion()
      local fadeIn, fadeOut = known and known.fadeIn, known and known.fadeOut
      if fadeIn then
        new:set_fade_in_length(fadeIn.drawn)
        new:set_fade_in_shape(ARDOUR.FadeShape[fadeIn.shape])
        new:set_fade_in_length(fadeIn.length)
      end
      if fadeOut then
        new:set_fade_out_length(fadeOut.drawn)
        new:set_fade_out_shape(ARDOUR.FadeShape[fadeOut.shape])
        new:set_fade_out_length(fadeOut.length)
      end
      new:set_fade_in_active(old:fade_in_active())
      new:set_fade_out_active(old:fade_out_active())
    end

    return fades
  end

  local batches = require("batches")
  local talk = require("talk")
  local work = require("work")

  local TITLE = "Retake: Again with a new seed"

  local function again()
    local last = batches.last()
    if not last then talk.complain("Retake has made nothing in this session yet. Restyle a region first.") end
    work.repeatLast(TITLE, last)
  end

  return function() talk.guard(again) end
end
