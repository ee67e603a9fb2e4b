-- Stands where ReaImGui keeps its own imgui.lua: require("imgui")(version) gives its functions without their prefix.
return function(version)
  assert(version == "0.9", "an unknown version of ReaImGui")
  local constants = { Cond_Appearing = 8, InputTextFlags_AutoSelectAll = 16 }
  constants.Key_Enter, constants.Key_KeypadEnter, constants.Key_Escape = 525, 615, 526
  return setmetatable(constants, {
    __index = function(_, name) return reaper["ImGui_" .. name] end,
  })
end
