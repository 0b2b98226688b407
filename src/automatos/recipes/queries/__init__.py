"""SQL of recipes."""
