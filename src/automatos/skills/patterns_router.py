"""Routes: ways in which agents work together."""

from typing import Annotated

from fastapi import APIRouter, Path

from automatos.kernel.openapi import problems
from automatos.skills import errors, reading, schemas
from automatos.skills.models import Pattern
from automatos.skills.types import PatternType
from automatos.workspaces.deps import CurrentCaller, Session

router = APIRouter(prefix="/patterns")
published = APIRouter(prefix="/api/patterns", tags=["skills"])
"""The same at the address that the product's description gives."""


@router.get("", response_model=schemas.PatternList)
async def list_patterns(
    caller: CurrentCaller, session: Session, pattern_type: PatternType | None = None,
    category: PatternType | None = None,
) -> dict[str, object]:
    """List the patterns: coordination, communication and decision; `category` is another name of `pattern_type`."""
    del caller
    items = await reading.list_patterns(session, pattern_type or category)
    return {"items": items, "total": len(items)}


@router.get("/{slug}", response_model=schemas.Pattern, responses=problems(errors.PatternNotFound))
async def get_pattern(
    slug: Annotated[str, Path(min_length=1, max_length=100)], caller: CurrentCaller, session: Session
) -> Pattern:
    """Return one pattern with its roles and steps."""
    del caller
    return await reading.get_pattern(session, slug)


published.get("", response_model=schemas.PatternList, name="list_published_patterns")(list_patterns)
published.get("/{slug}", response_model=schemas.Pattern, responses=problems(errors.PatternNotFound),
              name="get_published_pattern")(get_pattern)
