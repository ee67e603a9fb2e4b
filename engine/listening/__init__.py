"""What is in a clip: which of the sounds that a model knows, and how sure it is."""
