"""What can go wrong with skills."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from automatos.kernel.confined import comes_back
from automatos.kernel.errors import Problem
from automatos.skills.types import SkillUser

SHOWN = 10


class SkillNotFound(Problem):
    """The workspace has no such skill; those of other workspaces answer alike."""

    status = 404
    code = "skill_not_found"
    title = "There is no such skill"

    def __init__(self, skill_id: int) -> None:
        super().__init__(f"This workspace has no skill {skill_id}. It may have been deleted; see the list of skills.")


class SkillVersionNotFound(Problem):
    """The skill never was at that version."""

    status = 404
    code = "skill_version_not_found"
    title = "There is no such version"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"{name!r} has no version {version}. See its list of versions.")


class SkillFileNotFound(Problem):
    """The skill has no file of that path."""

    status = 404
    code = "skill_file_not_found"
    title = "There is no such file in the skill"

    def __init__(self, name: str, path: str, known: Sequence[str]) -> None:
        there = ", ".join(known[:20]) or "none"
        super().__init__(f"{name!r} has no file {path[:200]!r}. Its files: {there}.", files=list(known))


class SkillFileNotText(Problem):
    """The file is not text, so it cannot be shown or given to a model."""

    status = 415
    code = "skill_file_not_text"
    title = "The file is not text"

    def __init__(self, name: str, path: str, size_bytes: int) -> None:
        super().__init__(f"{path!r} of {name!r} holds {size_bytes} bytes that are not UTF-8 text.")


class ResourcePathMissing(Problem):
    """Level 3 is one file; which one must be said."""

    status = 422
    code = "resource_path_missing"
    title = "Which file?"

    def __init__(self, known: Sequence[str]) -> None:
        there = ", ".join(known[:20]) or "none"
        super().__init__(f"resource_path: level 3 loads one file; name it. The skill's files: {there}.",
                         field="resource_path", files=list(known))


class SkillNameTaken(Problem):
    """Two skills of a workspace may not share a name."""

    status = 409
    code = "skill_name_taken"
    title = "The name is taken"

    def __init__(self, names: Sequence[str]) -> None:
        listed = ", ".join(repr(name) for name in names[:SHOWN])
        super().__init__(
            f"name: this workspace already has a skill named {listed}, from elsewhere. Choose another name, or delete "
            "that one first.", field="name", names=list(names),
        )


class SkillInvalid(Problem):
    """What was sent is not a skill as the Agent Skills format asks; nothing was stored."""

    status = 422
    code = "skill_invalid"
    title = "The skill is not valid"

    def __init__(self, problems: Mapping[str, Sequence[str]]) -> None:
        told = "; ".join(f"{path}: {' '.join(found)}" if path else " ".join(found) for path, found in problems.items())
        super().__init__(told[:4000], problems=[{"path": path, "problems": list(found)}
                                                for path, found in problems.items()])


@comes_back
class ArchiveRefused(Problem):
    """The ZIP cannot be taken, for its form or for what it tries; nothing was stored."""

    status = 422
    code = "archive_refused"
    title = "The archive was refused"


class NotAnArchive(Problem):
    """An upload is the ZIP itself, as the body."""

    status = 415
    code = "not_an_archive"
    title = "Send the ZIP as the body"

    def __init__(self) -> None:
        super().__init__("Send the ZIP file itself as the body, with Content-Type: application/zip.")


class SkillReadOnly(Problem):
    """Skills that came with the product can be used, not changed."""

    status = 403
    code = "skill_read_only"
    title = "The skill came with the product"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} came with the product and is everybody's. Make a skill of your own to change it.")


class SkillKeptBySource(Problem):
    """A skill from git is what its repository says."""

    status = 409
    code = "skill_kept_by_source"
    title = "The skill is kept by its source"

    def __init__(self, name: str, source_name: str) -> None:
        super().__init__(f"{name!r} is kept as {source_name!r} has it; change it there and sync. Here it can only be "
                         "switched on and off, or rolled back with its source.")


class SkillInUse(Problem):
    """Agents would lose the skill."""

    status = 409
    code = "skill_in_use"
    title = "Agents use the skill"

    def __init__(self, users: Mapping[str, Sequence[SkillUser]]) -> None:
        told = "; ".join(f"{name!r} by {', '.join(repr(user.agent_name) for user in who[:SHOWN])}"
                         for name, who in users.items())
        super().__init__(
            f"Nothing was removed, because agents use {told}. Take it from them first, or add force=true.",
            skills=[{"name": name, "agents": [{"id": user.agent_id, "name": user.agent_name} for user in who]}
                    for name, who in users.items()],
        )


class SourceNotFound(Problem):
    """The workspace has no such source; those of other workspaces answer alike."""

    status = 404
    code = "skill_source_not_found"
    title = "There is no such source"

    def __init__(self, source_id: UUID) -> None:
        super().__init__(f"This workspace has no skill source {source_id}. It may have been deleted; see the list.")


class SourceNameTaken(Problem):
    """Two sources of a workspace may not share a name."""

    status = 409
    code = "skill_source_name_taken"
    title = "The name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"source_name: this workspace already has a source named {name!r}. Choose another name.",
                         field="source_name")


class SourceInactive(Problem):
    """A source that is switched off is not synced."""

    status = 409
    code = "skill_source_inactive"
    title = "The source is switched off"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is switched off. Switch it on (is_active) and try again.")


class CommitNotSynced(Problem):
    """Only a commit that was synced before is stored here."""

    status = 404
    code = "commit_not_synced"
    title = "That commit is not stored here"

    def __init__(self, name: str, commit_sha: str) -> None:
        super().__init__(f"commit_sha: {name!r} was never synced at {commit_sha}. See the source's history for the "
                         "commits that can be restored; pin fetches any other.", field="commit_sha")


@comes_back
class GitRefused(Problem):
    """The repository's address, or what it holds, is refused; nothing was stored."""

    status = 422
    code = "git_refused"
    title = "The repository was refused"


@comes_back
class GitUnreachable(Problem):
    """The repository did not answer as a git server; nothing was changed."""

    status = 502
    code = "git_unreachable"
    title = "The repository could not be read"


class PatternIsGlobal(Problem):
    """Patterns that came with the product belong to everybody and are changed by nobody."""

    status = 403
    code = "pattern_is_global"
    title = "The pattern belongs to every workspace"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} came with the product and cannot be changed or deleted. Make a pattern of this "
                         "workspace with what it says, and change that.")


class PatternNotFound(Problem):
    """There is no such pattern."""

    status = 404
    code = "pattern_not_found"
    title = "There is no such pattern"

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no pattern {slug[:100]!r}. See the list of patterns.")
