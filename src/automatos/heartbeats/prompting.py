"""What an agent is told at a beat, put together from the texts in `prompts/`."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template

from automatos.heartbeats.schemas import HeartbeatSettings
from automatos.runtime.service import fence

PROMPTS = Path(__file__).parent / "prompts"


@cache
def _text(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def beat_prompt(settings: HeartbeatSettings, changes: Sequence[str], since: str | None) -> str:
    """Return the prompt of one beat: the task, the checklist, what changed since the last look, what the agent may do.

    Names and messages of the workspace are fenced: they are material, not instructions.
    """
    lines = "".join(f"- {line}\n" for line in settings.checklist)
    return Template(_text("heartbeat")).substitute(
        task=settings.prompt.strip() or _text("task"),
        checklist=f"\nGo through each of these:\n{lines}" if lines else "",
        changes=_news(changes, since),
        rights=_text("act" if settings.auto_act else "look"),
    )


def _news(changes: Sequence[str], since: str | None) -> str:
    if not changes:
        return "Nothing that you watch changed" + (f" since {since}." if since else ".")
    return f"Since {since}:\n" + fence("\n".join(f"- {line}" for line in changes))
