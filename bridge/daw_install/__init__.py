"""`retake install-scripts`: the scripts of REAPER, Ardour and Ableton Live."""
