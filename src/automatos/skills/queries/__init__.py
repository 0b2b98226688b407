"""SQL of the skills room."""
