-- ardour7-lua new_session.lua FOLDER NAME: a session with a stereo and a mono track, both heard in the master.
assert(create_session(arg[1], arg[2], 48000))
for number, channels in ipairs({ 2, 1 }) do
  local tracks = Session:new_audio_track(channels, 2, nil, 1, "Audio " .. number, ARDOUR.PresentationInfo.max_order,
    ARDOUR.TrackMode.Normal, true)
  sleep(0.5)
  for track in tracks:iter() do
    for port = 0, 1 do
      local output = track:output():nth(port)
      if not output:connected() then output:connect("Master/audio_in " .. port + 1) end
    end
  end
end
Session:save_state("")
close_session()
