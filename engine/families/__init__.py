"""Model families behind one door: each a folder with its nets, its names and its way from prompts to sound."""
