"""Routes: the skills of the caller's workspace, and those that came with the product."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response, status

from automatos.durable.deps import Hints
from automatos.kernel.confined import USUAL, TooCostly, confined_for
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.skills import errors, patterns_router, reading, schemas, service, sources_router, storing
from automatos.skills.archive import read_archive
from automatos.skills.deps import SkillUsersDep
from automatos.skills.types import HINT_TOPIC, SkillCategory, SkillLevel, SkillOrigin
from automatos.workspaces.deps import CurrentCaller, Editor, Session

router = APIRouter(prefix="/api/skills", tags=["skills"])
router.include_router(sources_router.router)
router.include_router(patterns_router.router)

SkillId = Annotated[int, Path(ge=1, le=2**31 - 1)]
VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
IfMatch = Annotated[str | None, Header(max_length=1000)]
SearchText = Annotated[str, Query(min_length=1, max_length=200)]
BINARY = {"schema": {"type": "string", "format": "binary"}}
ZIP_BODY: dict[str, Any] = {"requestBody": {
    "required": True, "content": {"application/zip": {"schema": {"contentMediaType": "application/zip"}}}}}
NotThere = problems(errors.SkillNotFound)


@router.get("")
async def list_skills(
    *, caller: CurrentCaller, session: Session, users: SkillUsersDep, category: SkillCategory | None = None,
    source: SkillOrigin | None = None,
    origin: Annotated[SkillOrigin | None, Query(description="Another word for `source`.")] = None,
    source_id: UUID | None = None, search: SearchText | None = None,
    tags: Annotated[str | None, Query(max_length=1000, description="Separated by commas; any of them fits.")] = None,
    is_active: bool | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> schemas.SkillList:
    """List the workspace's skills and those that came with the product, by name."""
    wanted = service.SkillFilter(category, source or origin, source_id, search, service.split_tags(tags), is_active)
    found = await service.list_skills(session, caller.workspace_id, wanted, limit=limit, offset=offset)
    return schemas.SkillList(
        items=await service.describe(session, caller.workspace_id, users, found.items), total=found.total,
        limit=limit, offset=offset, categories=list(SkillCategory),
    )


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(errors.SkillNameTaken, errors.SkillInvalid))
async def create_skill(
    *, body: schemas.SkillCreate, caller: Editor, session: Session, users: SkillUsersDep, hints: Hints,
    response: Response,
) -> schemas.SkillDocument:
    """Add a skill written by hand."""
    skill = await service.create_skill(session, caller, body)
    response.headers["Location"] = f"{router.prefix}/{skill.id}"
    response.headers["ETag"] = etag(skill.revision)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return await reading.document(session, caller.workspace_id, users, skill)


@router.post("/upload", openapi_extra=ZIP_BODY,
             responses=problems(errors.NotAnArchive, errors.ArchiveRefused, errors.SkillInvalid, errors.SkillNameTaken,
                                 TooCostly))
async def upload_skills(
    *, request: Request, caller: Editor, session: Session, users: SkillUsersDep, hints: Hints
) -> schemas.SkillsImported:
    """Add every skill of a ZIP file that can be used: each folder with a SKILL.md is one; the body is the ZIP itself.

    What cannot be used is named in `problems`. A skill that was uploaded before gets a new version when it differs.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in service.ZIP_TYPES:
        raise errors.NotAnArchive
    archive = await confined_for(caller.workspace_id, USUAL, read_archive, await request.body())
    imported = await service.import_files(session, caller, archive)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return schemas.SkillsImported(
        items=await service.describe(session, caller.workspace_id, users, imported.skills), total=len(imported.skills),
        added=imported.added, updated=imported.updated, unchanged=imported.unchanged,
        problems=[schemas.SkillProblem(path=path, problems=found) for path, found in imported.problems.items()],
    )


@router.post("/validate")
async def validate_skills(body: schemas.SkillValidate, caller: CurrentCaller) -> schemas.SkillVerdict:
    """Check the files of skills against the format and list every difference; nothing is saved."""
    return await service.check(caller, body)


@router.post("/recommend")
async def recommend_skills(
    body: schemas.SkillRecommend, caller: CurrentCaller, session: Session, users: SkillUsersDep
) -> schemas.SkillSuggestions:
    """Return the active skills that fit some work best, each with the words that say so."""
    return await service.recommend(session, caller.workspace_id, users, body)


@router.get("/{skill_id}", responses=NotThere)
async def get_skill(
    skill_id: SkillId, caller: CurrentCaller, session: Session, users: SkillUsersDep, response: Response
) -> schemas.SkillDocument:
    """Return one skill with its files and the agents that use it; its ETag is its revision."""
    skill = await service.get_skill(session, caller.workspace_id, skill_id)
    response.headers["ETag"] = etag(skill.revision)
    return await reading.document(session, caller.workspace_id, users, skill)


@router.put("/{skill_id}", responses=problems(
    errors.SkillNotFound, errors.SkillReadOnly, errors.SkillKeptBySource, errors.SkillInvalid, StaleEdit))
async def update_skill(
    *, skill_id: SkillId, body: schemas.SkillUpdate, caller: Editor, session: Session, users: SkillUsersDep,
    hints: Hints, response: Response, if_match: IfMatch = None,
) -> schemas.SkillDocument:
    """Change a skill, with `If-Match` only if nobody else saved since; what an agent would read makes a new version."""
    skill = await service.update_skill(session, caller, skill_id, body, expected=read_versions(if_match))
    response.headers["ETag"] = etag(skill.revision)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return await reading.document(session, caller.workspace_id, users, skill)


@router.delete("/{skill_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(
    errors.SkillNotFound, errors.SkillReadOnly, errors.SkillKeptBySource, errors.SkillInUse))
async def delete_skill(
    *, skill_id: SkillId, caller: Editor, session: Session, users: SkillUsersDep, hints: Hints, force: bool = False
) -> None:
    """Remove a skill that no agent uses; with `force` it is taken from them."""
    await service.delete_skill(session, caller, skill_id, users, force=force)
    hints.changed(caller.workspace_id, HINT_TOPIC)


@router.get("/{skill_id}/content", responses=problems(
    errors.SkillNotFound, errors.SkillFileNotFound, errors.SkillFileNotText, errors.ResourcePathMissing))
async def get_skill_content(
    skill_id: SkillId, caller: CurrentCaller, session: Session, level: SkillLevel = SkillLevel.CORE,
    resource_path: Annotated[str | None, Query(min_length=1, max_length=500)] = None,
) -> schemas.SkillContentOut:
    """Load a skill at one level: 1 metadata, 2 the instructions, 3 one file."""
    skill = await service.get_skill(session, caller.workspace_id, skill_id)
    return await reading.load(session, skill, level, resource_path)


@router.get("/{skill_id}/download", response_class=Response,
            responses={200: {"content": {"application/zip": BINARY}}, **problems(errors.SkillNotFound)})
async def download_skill(skill_id: SkillId, caller: CurrentCaller, session: Session) -> Response:
    """Return a skill as a ZIP that upload takes: its SKILL.md as it was written, and its files."""
    skill = await service.get_skill(session, caller.workspace_id, skill_id)
    content = await storing.packed(session, skill)
    return Response(content, media_type="application/zip", headers={
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(skill.name)}.zip", "ETag": etag(skill.revision)})


@router.get("/{skill_id}/versions", responses=NotThere)
async def list_skill_versions(
    skill_id: SkillId, caller: CurrentCaller, session: Session
) -> schemas.SkillVersionList:
    """List the states a skill was in, newest first."""
    skill = await service.get_skill(session, caller.workspace_id, skill_id)
    return await reading.versions(session, skill)


@router.post("/{skill_id}/versions/{version}/restore", responses=problems(
    errors.SkillNotFound, errors.SkillVersionNotFound, errors.SkillReadOnly, errors.SkillKeptBySource, TooCostly))
async def restore_skill_version(
    *, skill_id: SkillId, version: VersionNumber, caller: Editor, session: Session, users: SkillUsersDep, hints: Hints
) -> schemas.SkillDocument:
    """Make an earlier state current again, as a new version."""
    skill = await service.restore_version(session, caller, skill_id, version)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return await reading.document(session, caller.workspace_id, users, skill)
