"""How fast the engine is, beside other implementations of the same model, in one run."""
