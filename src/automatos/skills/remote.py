"""Repositories as sources name them: read with the credential that was chosen for them, if any."""

from dataclasses import dataclass
from uuid import UUID

from yarl import URL

from automatos.credentials.errors import CredentialUnfit
from automatos.credentials.service import read_authorization
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
from automatos.skills.git.fetch import GitReader, Snapshot

DEFAULT_PORTS = frozenset({80, 443})


@dataclass(frozen=True, slots=True)
class Repository:
    """What of which repository is read; `commit` counts before `branch`."""

    git_url: str
    branch: str | None = None
    commit: str | None = None
    folder: str = ""
    credential_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """Reads repositories; without `vault`, public ones only."""

    git: GitReader
    vault: Vault | None = None

    async def read(self, database: Database, workspace_id: UUID, wanted: Repository, *, actor: str) -> Snapshot:
        """Return the skills of a repository.

        Raises:
            GitRefused, GitUnreachable: as `GitReader.read`.
            CredentialNotFound, CredentialUnfit, CredentialUnreadable: the chosen credential cannot be used for it.
        """
        authorization = None
        if wanted.credential_id is not None:
            place = self.git.check(wanted.git_url, wanted.branch, wanted.folder)
            authorization = await self._authorization(database, workspace_id, wanted.credential_id, place.url, actor)
        return await self.git.read(wanted.git_url, wanted.branch, wanted.commit, folder=wanted.folder,
                                   authorization=authorization)

    async def _authorization(
        self, database: Database, workspace_id: UUID, credential_id: UUID, url: URL, actor: str
    ) -> str:
        if self.vault is None:
            raise CredentialUnfit(str(credential_id), "cannot be opened by this process")
        host = f"{url.host}:{url.port}" if url.port not in DEFAULT_PORTS else url.host or ""
        async with database.session(workspace_id) as session:
            return await read_authorization(session, self.vault, workspace_id, credential_id, host, actor=actor)
