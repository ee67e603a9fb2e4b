"""From a request to audio files, in a process of its own, and the supervisor of that process."""
