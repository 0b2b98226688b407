"""What routers ask for: who uses skills, and how repositories are read."""

from typing import Annotated

from fastapi import Depends, Request

from automatos.skills.git.fetch import GitReader
from automatos.skills.types import SkillUsers


async def get_skill_users(request: Request) -> SkillUsers:
    """Return what tells which agents use a skill; a higher room handed it down at assembly."""
    return request.app.state.skill_users


async def get_git_reader(request: Request) -> GitReader:
    """Return a reader of repositories over this process's guarded connections."""
    settings = request.app.state.settings
    return GitReader(request.app.state.http, allow_private=settings.allow_private_urls)


SkillUsersDep = Annotated[SkillUsers, Depends(get_skill_users)]
GitReaderDep = Annotated[GitReader, Depends(get_git_reader)]
