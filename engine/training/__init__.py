"""How the nets are trained on the procedural sound corpus: one recipe a file, resumable."""
