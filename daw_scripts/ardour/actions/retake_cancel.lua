ardour {
  ["type"] = "EditorAction",
  name = "Retake: Cancel",
  license = "Apache-2.0",
  author = "Retake",
  description = [[Cancels all of Retake's jobs for this session.]]
}

local batches = require("batches")
local talk = require("talk")


local function cancel()
  local count = 0
  for _, batch in pairs(batches.pending()) do
    batches.cancel(batch)
    batches.finish(batch)
    count = count + #batch.jobs
  end
  if count == 0 then talk.inform("Retake is making nothing for this session.") end
end

return function() talk.guard(cancel) end
