"""Numbers as people read them."""

from typing import Any


def cost(cost_usd: str | None) -> str:
    """Write a cost; an unknown price is said to be unknown, never nothing."""
    return "cost unknown" if cost_usd is None else f"${float(cost_usd):.4f}"


def costs(thing: dict[str, Any], *, is_over: bool = True) -> str:
    """Write what something cost: `$0.4200`, `$0.4200 + 3 unpriced`; of what goes on, so far."""
    unpriced, known = thing.get("unpriced_calls", 0), thing.get("known_cost_usd") or thing.get("cost_usd")
    if unpriced and known and float(known) > 0:
        said = f"{cost(known)} + {unpriced} unpriced"
    else:
        said = cost(None if unpriced else thing.get("cost_usd"))
    return said if is_over else "not known yet" if thing.get("cost_usd") is None and not unpriced else f"{said} so far"


def tokens(count: int, *, is_estimated: bool = False) -> str:
    """Write a count of tokens; one that no provider told in whole is said to be an estimate."""
    return f"about {count:,}" if is_estimated else f"{count:,}"


def share(part: float | None) -> str:
    """Write a share of 1 in percent; nothing known is `-`."""
    return "-" if part is None else f"{part * 100:.0f}%"


def trimmed(text: str, width: int) -> str:
    """Cut a text to a width, in one line and at a word."""
    flat = " ".join(text.split())
    if len(flat) <= width:
        return flat
    cut = flat[: width - 3]
    return f"{cut.rpartition(' ')[0] or cut}..."
