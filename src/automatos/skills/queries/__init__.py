"""SQL of skills."""
