"""What clients send and get about skills, their sources and patterns."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, JsonValue, StringConstraints, computed_field

from automatos.kernel.schemas import Body, Out, SingleLine
from automatos.skills.types import (
    FileKind,
    Fitness,
    SkillCategory,
    SkillKind,
    SkillLevel,
    SkillOrigin,
    SourceStatus,
    SyncStatus,
)

MAX_FILES = 500
MAX_TOOLS = 32


def _normal_tags(value: object) -> object:
    """Lower-case, trim and split tags; what is not text is left for the field's own check."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return value
    split = (tag.strip().lower() for text in parts for tag in text.split(","))
    return list(dict.fromkeys(tag for tag in split if tag))


SkillTags = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100), SingleLine]], BeforeValidator(_normal_tags),
    Field(max_length=50),
]
SkillName = Annotated[str, Field(
    min_length=1, max_length=64, description="Lower-case letters, digits and single hyphens, as in `code-review`.")]
SkillDescription = Annotated[str, Field(
    min_length=1, max_length=1024, description="What the skill does and when an agent should use it.")]
SkillContent = Annotated[str, Field(
    min_length=1, max_length=1_000_000, description="The instructions, in Markdown, without front matter.")]
CommitSha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Hours = Annotated[int, Field(ge=1, le=8760, strict=True)]
Switch = Annotated[bool, Field(strict=True)]
SourceName = Annotated[str, StringConstraints(
    strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SkillFileWrite(Body):
    """A text file beside the instructions."""

    path: Annotated[str, Field(min_length=1, max_length=500, examples=["references/checklist.md"])]
    content: Annotated[str, Field(max_length=1_000_000)]


class SkillToolWrite(Body):
    """A tool that a script of the skill provides; its arguments reach the script as JSON on standard input."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]
    description: Annotated[str, Field(min_length=1, max_length=1024)]
    parameters: dict[str, JsonValue] = Field(description="The JSON Schema of the arguments; an object.")
    command: Annotated[str, Field(min_length=1, max_length=500, examples=["scripts/count.py"])]


Files = Annotated[list[SkillFileWrite], Field(max_length=MAX_FILES)]
Tools = Annotated[list[SkillToolWrite], Field(max_length=MAX_TOOLS)]


class SkillCreate(Body):
    """A skill written by hand."""

    name: SkillName
    description: SkillDescription
    content: SkillContent
    tags: SkillTags = Field(default_factory=list)
    category: SkillCategory = SkillCategory.DEVELOPMENT
    skill_type: SkillKind = SkillKind.TECHNICAL
    files: Files = Field(default_factory=list[SkillFileWrite])
    tools_schema: Tools = Field(default_factory=list[SkillToolWrite])


class SkillUpdate(Body):
    """What to change of a skill; `files` and `tools_schema` replace all there were. A skill keeps its name."""

    description: SkillDescription | None = None
    content: SkillContent | None = None
    tags: SkillTags | None = None
    category: SkillCategory | None = None
    skill_type: SkillKind | None = None
    files: Files | None = None
    tools_schema: Tools | None = None
    is_active: Switch | None = None


class SkillValidate(Body):
    """The files of one skill's folder or of several, by path: each SKILL.md among them is one skill."""

    files: Annotated[list[SkillFileWrite], Field(min_length=1, max_length=MAX_FILES)]


class SkillRecommend(Body):
    """Work to find skills for."""

    task_description: Annotated[str, Field(min_length=1, max_length=10_000)]
    task_type: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    limit: Annotated[int, Field(ge=1, le=20, strict=True)] = 5


class GitSourceCreate(Body):
    """A git repository to take skills from, over https."""

    git_url: Annotated[str, Field(
        min_length=1, max_length=1000, examples=["https://github.com/acme/skills.git"],
        description="Its https address, or that of one of its pages in a browser.")]
    source_name: SourceName | None = None
    branch: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    git_folder: Annotated[str, Field(max_length=1000, description="Take only the skills below this folder.")] = ""
    credential_id: UUID | None = Field(
        None, description="A stored credential that may read it: github_api, git_server or http_basic_auth.")
    commit: CommitSha | None = Field(None, description="Take this commit and stay there until it is unpinned.")
    auto_update: Switch = False
    update_frequency_hours: Hours = 24


class SourceUpdate(Body):
    """What to change of a source; its address stays."""

    source_name: SourceName | None = None
    branch: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    git_folder: Annotated[str, Field(max_length=1000)] | None = None
    credential_id: UUID | None = Field(None, description="Null where it is named takes the credential away.")
    auto_update: Switch | None = None
    update_frequency_hours: Hours | None = None
    is_active: Switch | None = Field(None, description="False stops automatic updates and syncs.")


class SourceRollback(Body):
    """The commit to go back to; it must have been synced before."""

    commit_sha: CommitSha


class SourcePin(Body):
    """The commit to stay at; null follows the branch again."""

    commit_sha: CommitSha | None


class LeftOutFile(Out):
    """A file that a skill goes without, and why."""

    path: str
    reason: str


class Skill(Out):
    """A skill as lists show it; its instructions are loaded by level."""

    id: int
    workspace_id: UUID | None = Field(description="Null for the skills that came with the product.")
    name: str
    description: str
    skill_type: SkillKind
    category: SkillCategory
    source: SkillOrigin
    source_id: UUID | None
    source_name: str | None
    git_url: str | None
    git_commit_sha: str | None
    path: str
    tags: list[str]
    skill_metadata: dict[str, Any]
    tools_schema: list[dict[str, Any]]
    current_version: int
    core_tokens: int = Field(description="How long the instructions are, by estimate.")
    verdict: Fitness = Field(description="Whether it conforms to the Agent Skills format, or is usable with notes.")
    notes: list[str] = Field(description="Where it differs from the Agent Skills format.")
    left_out: list[LeftOutFile] = Field(description="Its files that could not be taken.")
    disable_model_invocation: bool = Field(
        description="Agents are not offered it; it is loaded only where a task begins with /name.")
    user_invocable: bool = Field(description="A task may begin with /name to load it.")
    argument_hint: str = Field(description="What to write behind /name.")
    is_active: bool
    agents_count: int = Field(description="How many agents of this workspace it is assigned to.")
    created_by: str
    created_at: datetime
    updated_at: datetime


class SkillList(Out):
    """One page of skills, by name."""

    items: list[Skill]
    total: int
    limit: int
    offset: int
    categories: list[SkillCategory] = Field(description="Every category a skill may have.")


class SkillFileInfo(Out):
    """A file beside the instructions, to be loaded by its path."""

    path: str
    kind: FileKind
    size_bytes: int
    estimated_tokens: int


class SkillDocument(Skill):
    """One skill, with the files it holds and the agents that use it."""

    front_matter: str | None = Field(description="The head of its SKILL.md as it was written; null without one.")
    files: list[SkillFileInfo]
    agents: list["SkillAgent"]


class SkillAgent(Out):
    """An agent a skill is assigned to."""

    id: int
    name: str


class SkillContentOut(Out):
    """A skill loaded at one level."""

    skill_id: int
    skill_name: str
    load_level: SkillLevel
    content: str
    estimated_tokens: int
    files_available: list[SkillFileInfo]


class SkillVersionOut(Out):
    """One state of a skill."""

    version: int
    description: str
    git_commit_sha: str | None
    author: str
    created_at: datetime
    is_current: bool


class SkillVersionList(Out):
    """The states of a skill, newest first."""

    items: list[SkillVersionOut]
    total: int


class SkillCheck(Out):
    """What one folder with a SKILL.md holds, and the verdict on it."""

    path: str
    name: str
    description: str
    core_tokens: int
    files: list[str]
    tools: list[str]
    verdict: Fitness
    problems: list[str] = Field(description="All that keeps it from conforming to the Agent Skills format.")
    notes: list[str] = Field(description="Those of the problems with which it can be used all the same.")


class SkillVerdict(Out):
    """The verdict on all the skills found: whether they conform, and whether they can be used."""

    is_valid: bool = Field(description="Every one conforms to the Agent Skills format.")
    is_usable: bool = Field(description="Every one can be uploaded, or taken from a repository.")
    items: list[SkillCheck]
    total: int


class SkillsImported(Out):
    """What an upload brought."""

    items: list[Skill]
    total: int
    added: list[str]
    updated: list[str]
    unchanged: list[str]
    problems: list["SkillProblem"] = Field(description="Folders and entries of the archive that were left out.")


class SkillSuggestion(Out):
    """A skill that fits some work, how well, and which words say so."""

    skill: Skill
    score: float
    matched: list[str] = Field(description="The words of the task that fit, each with where it was found.")
    reason: str


class SkillSuggestions(Out):
    """The skills that fit best, best first."""

    items: list[SkillSuggestion]
    total: int


class SyncedCommit(Out):
    """A commit that was synced and can be rolled back to."""

    commit_sha: str
    synced_at: datetime
    skills: int


class SkillSource(Out):
    """A repository that skills come from, and how its last sync went."""

    id: UUID
    workspace_id: UUID
    source_name: str
    source_type: str
    git_url: str | None
    git_branch: str | None = Field(description="Null follows the repository's own default branch.")
    git_folder: str = Field(description="Only skills below this folder are taken; empty takes all.")
    credential_id: UUID | None = Field(description="What it is read with; null reads it as anybody may.")
    git_commit_sha: str | None
    pinned_commit: str | None
    auto_update: bool
    update_frequency_hours: int
    skills_discovered: int
    status: SourceStatus
    last_sync_at: datetime | None
    last_sync_status: SyncStatus | None
    last_sync_error: str | None
    last_sync_notes: list[str] = Field(description="What was odd, and taken all the same.")
    history: list[SyncedCommit]
    created_by: str
    created_at: datetime

    @computed_field
    @property
    def skills_taken(self) -> int:
        """How many of those discovered the workspace has; the others were left out."""
        return self.history[-1].skills if self.history else 0


class SkillSourceList(Out):
    """The sources of a workspace, by name."""

    items: list[SkillSource]
    total: int


class SkillProblem(Out):
    """A skill of a repository that could not be taken, and why."""

    path: str
    problems: list[str]


class SyncResult(Out):
    """What a sync, a pin or a rollback changed."""

    source: SkillSource
    source_id: UUID
    source_name: str
    skills_discovered: int
    old_commit: str | None
    commit_sha: str
    added: list[str]
    updated: list[str]
    removed: list[str]
    unchanged: list[str]
    problems: list[SkillProblem]
    notes: list[str] = Field(description="What was odd, and taken all the same.")
    skills: list[Skill]
