"""Models on disk: one folder each, a config.json and safetensors, and the list of what is installed."""
