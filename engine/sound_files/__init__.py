"""Sound files, recognised by content and read to the end of their data; lengths in headers are only hints.

`reader.open_sound` is what everything that reads audio uses. For each container a module finds where its sound really
is and returns `ChainedStream`s; a file of several concatenated sounds has several. libsndfile decodes each of them
through a view whose header is correct.
"""
