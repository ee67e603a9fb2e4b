"""What a request has that does not say otherwise; the numbers alone, for whoever must not load PyTorch to tell them."""

SECONDS = 5.12  # of a generated sound
DRAFT_STEPS = 6  # of the model's own denoiser, with guidance, where it has no draft net
RESTYLE_STRENGTH = 0.5
VARY_STRENGTH = 0.4
