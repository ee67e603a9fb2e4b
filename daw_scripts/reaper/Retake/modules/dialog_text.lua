-- @noindex
-- Words for REAPER's own dialog, whose parser pairs quotes and brackets: a lone one swallows the fields behind it.

local dialogText = {}

-- What is shown for a sign; a later one where the words themselves hold the ones before.
local QUOTES = { ["'"] = { "’", "ʼ", "′" }, ['"'] = { "”", "″", "＂" }, ["`"] = { "‘", "‵", "ˋ" } }
local BRACKETS = {
  ["("] = { "（", "❨" }, [")"] = { "）", "❩" },
  ["["] = { "［", "❲" }, ["]"] = { "］", "❳" },
  ["{"] = { "｛", "❴" }, ["}"] = { "｝", "❵" },
}
local PAIRS = { ")(", "][", "}{" } -- closing, opening

local function isBalanced(text, pair)
  local depth = 0
  for sign in text:gmatch("[%" .. pair:sub(1, 1) .. "%" .. pair:sub(2) .. "]") do
    depth = depth + (sign == pair:sub(2) and 1 or -1)
    if depth < 0 then return false end
  end
  return depth == 0
end

local function standIn(text, choice)
  for _, shown in ipairs(choice) do
    if not text:find(shown, 1, true) then return shown end
  end
  return choice[#choice]
end

-- Words as the dialog can show them, and what was put in the place of which sign.
function dialogText.show(text)
  local places = {}
  for sign, choice in pairs(QUOTES) do
    if text:find(sign, 1, true) then places[sign] = standIn(text, choice) end
  end
  for _, pair in ipairs(PAIRS) do
    if not isBalanced(text, pair) then
      for sign in pair:gmatch(".") do places[sign] = standIn(text, BRACKETS[sign]) end
    end
  end
  return (text:gsub("%p", places)), places
end

-- What the user means by words that came back from the dialog.
function dialogText.read(typed, places)
  for sign, shown in pairs(places) do typed = typed:gsub(shown, sign) end
  return typed
end

return dialogText
