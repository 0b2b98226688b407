"""SQL of the agents room, by what it is about."""
