-- @noindex
-- The jobs that running scripts wait for; the Cancel action removes them from this list.

local jobs = {}

local SECTION, KEY = "Retake", "jobs"

local function readList()
  local list = {}
  for job, project in reaper.GetExtState(SECTION, KEY):gmatch("(%S+) ([^\n]+)\n") do
    list[#list + 1] = { job = job, project = project }
  end
  return list
end

-- Write back the entries that isKept(entry) wants: how many were left out.
local function keepOnly(list, isKept)
  local lines = {}
  for _, entry in ipairs(list) do
    if isKept(entry) then lines[#lines + 1] = entry.job .. " " .. entry.project .. "\n" end
  end
  reaper.SetExtState(SECTION, KEY, table.concat(lines), false)
  return #list - #lines
end

-- A name that no job ever had.
function jobs.newName()
  return "reaper-" .. reaper.genGuid(""):gsub("[{}]", "")
end

function jobs.add(job, project)
  local list = readList()
  list[#list + 1] = { job = job, project = tostring(project) }
  keepOnly(list, function() return true end)
end

function jobs.remove(job)
  keepOnly(readList(), function(entry) return entry.job ~= job end)
end

-- Take every job of a project off the list: how many there were.
function jobs.removeAll(project)
  return keepOnly(readList(), function(entry) return entry.project ~= tostring(project) end)
end

function jobs.isWanted(job)
  for _, entry in ipairs(readList()) do
    if entry.job == job then return true end
  end
  return false
end

return jobs
