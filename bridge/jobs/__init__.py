"""Jobs and their life: states, the journal on disk, the queue, reply files."""
