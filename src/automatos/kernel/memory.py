"""The garbage collector, set for a server."""

import gc

NEW_OBJECTS = 50_000
"""Objects made between two looks at the youngest: a run makes thousands that die by themselves."""


def load() -> None:
    """Collect nothing until `settle`: what is loaded at start stays, and looking through it is a fifth of the start."""
    gc.disable()


def settle() -> None:
    """Leave everything loaded at start out of later collections, and collect less often.

    It is not looked through even once: that takes a tenth of the start and gives back nothing.

    Measured with 64 clients: about a tenth less CPU per run; the memory of an idle server stays the same.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 100)
    gc.enable()
