"""Playing sound files through PortAudio, in a process of its own, and the supervisor of that process."""
