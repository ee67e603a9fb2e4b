"""The same as `rendering`, on the nodes of a Ray cluster."""
