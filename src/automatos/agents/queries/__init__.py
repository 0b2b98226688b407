"""SQL of the agents package, by what it is about."""
