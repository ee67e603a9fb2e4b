-- @noindex
-- Asks for what all actions have in common; what is left empty is left to Retake.

local folder = select(2, reaper.get_action_context()):match("^(.*[/\\])")
package.path = folder .. "modules/?.lua;" .. package.path

local form = require("form")

form.ask("Retake: Settings", {
  { key = "model", caption = "Model (or empty)", kind = "text" },
  { key = "steps", caption = "Steps 1 to 1000 (or empty)", kind = "whole", low = 1, high = 1000, isOptional = true },
  { key = "guidance", caption = "Guidance 0 to 30 (or empty)", kind = "number", low = 0, high = 30, isOptional = true },
  { key = "negative", caption = "What it should not sound like", kind = "text" },
  { key = "vary_strength", caption = "Strength of “More like this”", kind = "number", low = 0, high = 1 },
  { key = "cutoff_hz", caption = "Upscale from Hz (or empty)", kind = "whole", low = 1, high = 9e4, isOptional = true },
  { key = "keep_air", caption = "Keep the treble of the item (yes/no)", kind = "switch" },
  form.SEED,
  form.CANDIDATES,
}, function() end)
