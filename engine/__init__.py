"""The model library: text and audio in, audio out. It knows tensors, seconds and prompts, and nothing of DAWs."""
