"""Tasks that begin with the name of a skill: `/name arguments` hands the agent that skill whole, for this task."""

import re
from collections.abc import Iterable

from automatos.agents.types import SkillSpec
from automatos.llm.errors import PromptTooLong
from automatos.llm.types import Window

CALL = re.compile(r"\s*/([^\s/]+)(?:[ \t]+([^\n]*))?(?=\n|$)")
ARGUMENTS = "$ARGUMENTS"


def find_invoked(skills: Iterable[SkillSpec], prompt: str) -> SkillSpec | None:
    """Return the skill that a prompt calls up; only its very beginning counts, and only skills that people may call."""
    match = CALL.match(prompt)
    if match is None:
        return None
    return next((skill for skill in skills if skill.name == match[1] and skill.by_people), None)


def with_skill(how: str, skill: SkillSpec, text: str, prompt: str, window: Window | None = None) -> str:
    """Return the prompt with the skill's text before it; it stays the person's message, not the server's.

    Raises:
        PromptTooLong: the skill repeats its arguments to more than the window holds; nothing was put together.
    """
    match = CALL.match(prompt)
    arguments = (match[2] or "").strip() if match else ""
    size = len(text) + text.count(ARGUMENTS) * len(arguments) + len(prompt)
    if window and not window.holds(size):
        raise PromptTooLong(window, size, f"The skill {skill.name!r} with its arguments")
    return f"{how}\n\n## {skill.name}\n{text.replace(ARGUMENTS, arguments)}\n\n## Task\n{prompt.strip()}"
