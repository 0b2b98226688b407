"""Which skills fit some work: by the words that its description shares with theirs."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from automatos.skills.models import Skill

NAME, DESCRIPTION, TAG, CATEGORY = 0.5, 0.35, 0.25, 0.2
MOST = 0.99
WORD = re.compile(r"[^\W_]+")
SHORTEST = 3
COMMON = frozenset({
    "about", "after", "all", "also", "and", "any", "are", "before", "but", "can", "code", "does", "each", "for", "from",
    "has", "have", "how", "into", "its", "may", "more", "not", "one", "our", "out", "should", "task", "that", "the",
    "their", "them", "then", "there", "they", "this", "use", "used", "uses", "using", "was", "what", "when", "where",
    "which", "who", "will", "with", "work", "you", "your",
})


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a skill fits, between 0 and 0.99, and the words that say so, each with where it was found."""

    skill: Skill
    score: float
    matched: tuple[str, ...]


def rank(skills: Sequence[Skill], task: str, task_type: str | None, limit: int) -> list[Fit]:
    """Return the skills that share a word with the task, best first; takes a second for thousands of skills.

    Each word of the task counts once per skill, at the best place it is found: the name 0.5, the description 0.35, a
    tag 0.25; a category that the task names counts 0.2 more.
    """
    words = _words(f"{task} {task_type or ''}")
    fits = [fit for skill in skills if (fit := _fit(skill, words)).score > 0]
    return sorted(fits, key=lambda fit: (-fit.score, fit.skill.name, fit.skill.id))[:limit]


def _fit(skill: Skill, words: Sequence[str]) -> Fit:
    places = (
        ("name", NAME, frozenset(_words(skill.name))),
        ("description", DESCRIPTION, frozenset(_words(skill.description))),
        ("tag", TAG, frozenset(_words(" ".join(skill.tags)))),
    )
    matched: list[str] = []
    score = 0.0
    for word in words:
        found = next(((place, points) for place, points, there in places if word in there), None)
        if found:
            matched.append(f"{word} ({found[0]})")
            score += found[1]
    if _stem(skill.category) in words:
        matched.append(f"{skill.category} (category)")
        score += CATEGORY
    return Fit(skill, round(min(MOST, score), 2), tuple(matched))


def _words(text: str) -> list[str]:
    """Return the telling words of a text once each, in order, as they begin: plural and singular count as one."""
    found = (_stem(word) for word in WORD.findall(text.lower()))
    return _once(word for word in found if len(word) >= SHORTEST and word not in COMMON)


def _stem(word: str) -> str:
    return word[:-1] if len(word) > SHORTEST + 1 and word.endswith("s") and not word.endswith("ss") else word


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
