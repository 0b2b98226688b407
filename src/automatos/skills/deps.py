"""What routers ask for: who uses skills, and how repositories are read."""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.http import Http
from automatos.kernel.services import services_of
from automatos.skills.git.fetch import GitReader
from automatos.skills.remote import Remote
from automatos.skills.types import SkillUsers


class SkillServices(Protocol):
    """What is needed of the process."""

    settings: Settings
    http: Http
    vault: Vault
    skill_users: SkillUsers


async def get_skill_users(request: Request) -> SkillUsers:
    """Return what tells which agents use a skill; a higher package handed it down at assembly."""
    return services_of(request, SkillServices).skill_users


async def get_remote(request: Request) -> Remote:
    """Return what repositories are read with, over this process's guarded connections."""
    services = services_of(request, SkillServices)
    reader = GitReader(services.http, allow_private=services.settings.allow_private_urls)
    return Remote(reader, services.vault)


SkillUsersDep = Annotated[SkillUsers, Depends(get_skill_users)]
RemoteDep = Annotated[Remote, Depends(get_remote)]
