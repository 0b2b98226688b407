"""What routers ask for: who uses skills, and how repositories are read."""

from typing import Annotated

from fastapi import Depends, Request

from automatos.skills.git.fetch import GitReader
from automatos.skills.remote import Remote
from automatos.skills.types import SkillUsers


async def get_skill_users(request: Request) -> SkillUsers:
    """Return what tells which agents use a skill; a higher room handed it down at assembly."""
    return request.app.state.skill_users


async def get_remote(request: Request) -> Remote:
    """Return what repositories are read with, over this process's guarded connections."""
    state = request.app.state
    return Remote(GitReader(state.http, allow_private=state.settings.allow_private_urls), state.vault)


SkillUsersDep = Annotated[SkillUsers, Depends(get_skill_users)]
RemoteDep = Annotated[Remote, Depends(get_remote)]
