"""Patterns: ways in which agents work together, those of the product and a workspace's own, and their words."""

import re
import secrets
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.errors import StaleEdit
from automatos.skills import pattern_schemas
from automatos.skills.errors import PatternIsGlobal, PatternNotFound
from automatos.skills.models import Pattern
from automatos.skills.queries import sources as queries
from automatos.skills.types import PatternType
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

MAX_SLUG = 90
WORKED_OUT = frozenset({"prompt", "scope"})
_OTHER = re.compile(r"[^a-z0-9]+")


async def list_patterns(
    session: AsyncSession, workspace_id: UUID, pattern_type: PatternType | None
) -> Sequence[Pattern]:
    """Return the patterns that a workspace sees, by name."""
    return await queries.list_patterns(session, workspace_id, pattern_type)


async def get_pattern(session: AsyncSession, workspace_id: UUID, slug: str) -> Pattern:
    """Return one pattern; raises PatternNotFound."""
    found = await queries.find_pattern(session, workspace_id, slug)
    if found is None:
        raise PatternNotFound(slug)
    return found


async def create_pattern(session: AsyncSession, caller: Caller, body: pattern_schemas.PatternCreate) -> Pattern:
    """Add a pattern to the caller's workspace; its slug is its name in plain letters, or with a tail."""
    slug = _slug_of(body.name)
    if await queries.find_pattern(session, caller.workspace_id, slug):
        slug = f"{slug}-{secrets.token_hex(4)}"
    values = body.model_dump(mode="json") | {"slug": slug, "created_by": caller.actor}
    pattern = await queries.insert_pattern(session, caller.workspace_id, values)
    await _note(session, caller, "pattern.created", pattern)
    return pattern


async def update_pattern(
    session: AsyncSession, caller: Caller, slug: str, body: pattern_schemas.PatternUpdate,
    expected: frozenset[int] | None,
) -> Pattern:
    """Change what the body names; work that has begun keeps the words it began with.

    Raises:
        PatternNotFound: the workspace sees no such pattern.
        PatternIsGlobal: it came with the product.
        StaleEdit: somebody else saved first; carries what is stored.
    """
    pattern = await _own(session, caller.workspace_id, slug)
    if expected is not None and pattern.version not in expected:
        raise StaleEdit(f"{pattern.name!r} is at version {pattern.version} now. Load it again, redo your change and "
                        "save.", current=shown(pattern).model_dump(mode="json"))
    changes = {name: value for name, value in body.model_dump(mode="json", exclude_none=True).items()
               if getattr(pattern, name) != value}
    if not changes:
        return pattern
    changed = await queries.update_pattern(session, caller.workspace_id, pattern.id, changes)
    await _note(session, caller, "pattern.updated", changed)
    return changed


async def delete_pattern(session: AsyncSession, caller: Caller, slug: str) -> None:
    """Remove a pattern of the workspace; raises PatternNotFound and PatternIsGlobal."""
    pattern = await _own(session, caller.workspace_id, slug)
    await queries.delete_pattern(session, caller.workspace_id, pattern.id)
    await _note(session, caller, "pattern.deleted", pattern)


def shown(pattern: Pattern) -> pattern_schemas.Pattern:
    """Return a pattern as clients see it, with the words that it puts into a prompt."""
    return pattern_schemas.Pattern.model_validate({
        **{name: getattr(pattern, name) for name in pattern_schemas.Pattern.model_fields if name not in WORKED_OUT},
        "scope": "workspace" if pattern.workspace_id else "global", "prompt": words_of(pattern)})


def words_of(pattern: Pattern) -> str:
    """Return a pattern as a section of a prompt: what it is, then all it says, one line a statement."""
    lines = [f"## {pattern.name} ({pattern.pattern_type})", *([pattern.description] if pattern.description else [])]
    return "\n".join([*lines, *_lines(pattern.pattern_data, 0)])


async def words_of_patterns(session: AsyncSession, workspace_id: UUID, slugs: Collection[str]) -> dict[str, str]:
    """Return the words of patterns by slug, of those that a workspace sees; its own before the product's."""
    found = await queries.find_patterns(session, workspace_id, slugs) if slugs else ()
    return {pattern.slug: words_of(pattern) for pattern in found}


def _lines(data: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, value in data.items():
        start = f"{'  ' * depth}- {name.replace('_', ' ')}:"
        if isinstance(value, dict):
            yield start
            yield from _lines(value, depth + 1)
        elif isinstance(value, list):
            yield f"{start} {', '.join(map(_text, value))}"
        else:
            yield f"{start} {_text(value)}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("-", plain).strip("-")[:MAX_SLUG].rstrip("-") or "pattern"


async def _own(session: AsyncSession, workspace_id: UUID, slug: str) -> Pattern:
    """Return a pattern that the workspace may change, locked."""
    pattern = await queries.find_own_pattern(session, workspace_id, slug)
    if pattern is None:
        raise PatternIsGlobal((await get_pattern(session, workspace_id, slug)).name)
    return pattern


async def _note(session: AsyncSession, caller: Caller, action: str, pattern: Pattern) -> None:
    await write_audit(session, caller, action, target_type="pattern", target_id=pattern.slug,
                      detail={"name": pattern.name, "pattern_type": pattern.pattern_type})
