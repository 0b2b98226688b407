"""Numbers as people read them."""


def duration(milliseconds: int | None) -> str:
    """Write a duration: `0.4 s`, `12.3 s`, `2 m 05 s`; nothing known is `-`."""
    if milliseconds is None:
        return "-"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} m {int(seconds % 60):02d} s"


def quantity(count: int, noun: str) -> str:
    """Write a count with its noun: `1 step`, `3 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
