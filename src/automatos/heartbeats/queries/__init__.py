"""SQL of heartbeats: what people read and save, and the beats themselves."""
