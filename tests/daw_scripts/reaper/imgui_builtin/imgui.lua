-- Stands where ReaImGui keeps its own imgui.lua: require("imgui")(version) gives its functions without their prefix.
return function(version)
  assert(version == "0.9", "an unknown version of ReaImGui")
  return setmetatable({ Cond_Appearing = 8 }, {
    __index = function(_, name) return reaper["ImGui_" .. name] end,
  })
end
