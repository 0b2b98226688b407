"""Automatos: a self-hosted server where teams build, run and watch AI agents."""

__version__ = "0.1.0"
