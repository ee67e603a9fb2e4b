-- Words for the musician: message boxes, and errors that end in one.

local talk = {}

local TITLE = "Retake"

local function show(text, kind)
  LuaDialog.Message(TITLE, text, kind, LuaDialog.ButtonType.Close):run()
end

function talk.inform(text)
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
    show("Something unexpected went wrong; the original is untouched.\n" .. tostring(problem),
      LuaDialog.MessageType.Error)
  end
end

return talk
