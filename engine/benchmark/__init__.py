"""How fast the engine is compared with other implementations of the same model, in one run."""
