"""Routes: ways in which agents work together."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response, status

from automatos.durable.deps import Hints
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.skills import errors, pattern_schemas, patterns
from automatos.skills.types import HINT_TOPIC, PatternType
from automatos.workspaces.deps import CurrentCaller, Editor, Session

router = APIRouter(prefix="/patterns")
published = APIRouter(prefix="/api/patterns", tags=["skills"])
"""The same at the address that the product's description gives, where a workspace keeps its own too."""
Slug = Annotated[str, Path(min_length=1, max_length=100)]
IfMatch = Annotated[str | None, Header(max_length=1000)]


@router.get("", response_model=pattern_schemas.PatternList)
async def list_patterns(
    caller: CurrentCaller, session: Session, pattern_type: PatternType | None = None,
    category: PatternType | None = None,
) -> pattern_schemas.PatternList:
    """List the patterns, the product's and the workspace's own; `category` is another name of `pattern_type`."""
    rows = await patterns.list_patterns(session, caller.workspace_id, pattern_type or category)
    return pattern_schemas.PatternList(items=[patterns.shown(row) for row in rows], total=len(rows))


@router.get("/{pattern_slug}", response_model=pattern_schemas.Pattern, responses=problems(errors.PatternNotFound))
async def get_pattern(
    pattern_slug: Slug, caller: CurrentCaller, session: Session, response: Response
) -> pattern_schemas.Pattern:
    """Return one pattern, with the words that it puts into a prompt; its ETag is its version."""
    pattern = await patterns.get_pattern(session, caller.workspace_id, pattern_slug)
    response.headers["ETag"] = etag(pattern.version)
    return patterns.shown(pattern)


published.get("", response_model=pattern_schemas.PatternList, name="list_published_patterns")(list_patterns)
published.get("/{pattern_slug}", response_model=pattern_schemas.Pattern, responses=problems(errors.PatternNotFound),
              name="get_published_pattern")(get_pattern)


@published.post("", response_model=pattern_schemas.Pattern, status_code=status.HTTP_201_CREATED)
async def create_pattern(
    body: pattern_schemas.PatternCreate, caller: Editor, session: Session, hints: Hints, response: Response
) -> pattern_schemas.Pattern:
    """Add a pattern to the workspace."""
    pattern = await patterns.create_pattern(session, caller, body)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    response.headers["Location"] = f"/api/patterns/{pattern.slug}"
    response.headers["ETag"] = etag(pattern.version)
    return patterns.shown(pattern)


@published.put("/{pattern_slug}", response_model=pattern_schemas.Pattern,
               responses=problems(errors.PatternNotFound, errors.PatternIsGlobal, StaleEdit))
async def update_pattern(
    *, pattern_slug: Slug, body: pattern_schemas.PatternUpdate, caller: Editor, session: Session, hints: Hints,
    response: Response, if_match: IfMatch = None,
) -> pattern_schemas.Pattern:
    """Change a pattern of the workspace; with `If-Match`, only if nobody else saved since. The slug stays."""
    pattern = await patterns.update_pattern(session, caller, pattern_slug, body, read_versions(if_match))
    hints.changed(caller.workspace_id, HINT_TOPIC)
    response.headers["ETag"] = etag(pattern.version)
    return patterns.shown(pattern)


@published.delete("/{pattern_slug}", status_code=status.HTTP_204_NO_CONTENT,
                  responses=problems(errors.PatternNotFound, errors.PatternIsGlobal))
async def delete_pattern(pattern_slug: Slug, caller: Editor, session: Session, hints: Hints) -> None:
    """Remove a pattern of the workspace."""
    await patterns.delete_pattern(session, caller, pattern_slug)
    hints.changed(caller.workspace_id, HINT_TOPIC)
