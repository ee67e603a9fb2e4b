-- The tests' hand inside Ardour: runs each chunk that lands in $RETAKE_E2E_DIR as chunk.lua, in the GUI thread.
ardour { ["type"] = "EditorHook", name = "Test driver" }

function signals()
  return LuaSignal.Set():add({ [LuaSignal.LuaTimerDS] = true })
end

function factory()
  local folder = os.getenv("RETAKE_E2E_DIR")
  local isBusy, ticks = false, 0

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name .. ".part", "wb"))
    file:write(text)
    file:close()
    os.rename(folder .. "/" .. name .. ".part", folder .. "/" .. name)
  end

  local function answer(text)
    local chunk, problem = load(text, "chunk")
    if not chunk then return "ERROR " .. problem end
    local isFine, value = pcall(chunk)
    return (isFine and "FINE " or "ERROR ") .. tostring(value)
  end

  return function()
    ticks = ticks + 1
    if ticks == 3 then write("ready", Session:name()) end
    local file = not isBusy and io.open(folder .. "/chunk.lua", "rb")
    if not file then return end
    local text = file:read("a")
    file:close()
    os.remove(folder .. "/chunk.lua")
    isBusy = true
    write("answer", answer(text))
    isBusy = false
  end
end
