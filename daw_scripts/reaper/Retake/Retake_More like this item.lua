-- @noindex
-- The former name of “Retake_Vary selected items”: it stays, so that shortcuts and toolbar buttons go on working.

dofile(select(2, reaper.get_action_context()):match("^(.*[/\\])") .. "Retake_Vary selected items.lua")
