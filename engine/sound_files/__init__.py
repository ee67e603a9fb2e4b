"""Sound files, told by their content and read to the end of what is there; what a header says of lengths is a hint.

`reader.open_sound` is what everything that reads audio uses. For each container a module finds where its sound really
lies and gives `Link`s; a file of several sounds put behind one another has several. libsndfile decodes each of them
through a view in which the header tells the truth.
"""
