"""What a model is worth, in figures: classes recognised, Frechet distance, CLAP score, spectral distances."""
