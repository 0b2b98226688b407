"""Tables: skill sources, skills, their versions and files, and coordination patterns.

A row without a workspace came with the product and is everybody's to read.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Boolean, DateTime, ForeignKey, Identity, Index, Integer, LargeBinary, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base
from automatos.kernel.ids import new_id

AWARE = DateTime(timezone=True)


class SkillSource(Base):
    """Where skills come from: a git repository. `pinned_commit` keeps syncs from moving on.

    `history` holds the commits that were synced, the latest last, each with the versions its skills had:
    commit_sha, synced_at, versions (a map from skill id to version).
    """

    __tablename__ = "skill_sources"
    __table_args__ = (
        Index("uq_skill_sources_name", "workspace_id", "source_name", unique=True),
        Index("ix_skill_sources_credential", "credential_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    source_name: Mapped[str] = mapped_column(String(200))
    source_type: Mapped[str] = mapped_column(String(20))
    git_url: Mapped[str | None] = mapped_column(String(1000))
    git_branch: Mapped[str | None] = mapped_column(String(200))
    git_commit_sha: Mapped[str | None] = mapped_column(String(64))
    pinned_commit: Mapped[str | None] = mapped_column(String(64))
    git_folder: Mapped[str] = mapped_column(String(1000), server_default="")
    credential_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("credentials.id", ondelete="SET NULL", name="fk_skill_sources_credential"))
    auto_update: Mapped[bool] = mapped_column(Boolean, server_default="false")
    update_frequency_hours: Mapped[int] = mapped_column(Integer, server_default="24")
    skills_discovered: Mapped[int] = mapped_column(Integer, server_default="0")
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    last_sync_at: Mapped[datetime | None] = mapped_column(AWARE)
    last_sync_status: Mapped[str | None] = mapped_column(String(20))
    last_sync_error: Mapped[str | None] = mapped_column(Text)
    last_sync_notes: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    history: Mapped[list[dict[str, object]]] = mapped_column(JSONB, server_default="[]")
    created_by: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class Skill(Base):
    """Instructions an agent can load: metadata always, the body and files when it needs them."""

    __tablename__ = "skills"
    __table_args__ = (
        Index("uq_skills_name", "workspace_id", "name", unique=True, postgresql_nulls_not_distinct=True),
        Index("ix_skills_source", "source_id"),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    source_id: Mapped[UUID | None] = mapped_column(ForeignKey("skill_sources.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(String(1024))
    skill_type: Mapped[str] = mapped_column(String(20), server_default="technical")
    category: Mapped[str] = mapped_column(String(50), server_default="development")
    tags: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    path: Mapped[str] = mapped_column(String(1000), server_default="")
    git_url: Mapped[str | None] = mapped_column(String(1000))
    git_commit_sha: Mapped[str | None] = mapped_column(String(64))
    skill_metadata: Mapped[dict[str, object]] = mapped_column(JSONB, server_default="{}")
    tools_schema: Mapped[list[object]] = mapped_column(JSONB, server_default="[]")
    current_version: Mapped[int] = mapped_column(Integer, server_default="1")
    revision: Mapped[int] = mapped_column(Integer, server_default="1")
    core_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    created_by: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class SkillVersion(Base):
    """One state of a skill: its SKILL.md and the commit it came from; never changes."""

    __tablename__ = "skill_versions"

    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    git_commit_sha: Mapped[str | None] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(String(1024))
    skill_metadata: Mapped[dict[str, object]] = mapped_column(JSONB, server_default="{}")
    tools_schema: Mapped[list[object]] = mapped_column(JSONB, server_default="[]")
    author: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


class SkillFile(Base):
    """One file beside SKILL.md, of one version."""

    __tablename__ = "skill_files"

    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    file_path: Mapped[str] = mapped_column(String(500), primary_key=True)
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    file_type: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    file_size_bytes: Mapped[int] = mapped_column(Integer)
    estimated_tokens: Mapped[int] = mapped_column(Integer, server_default="0")


class Pattern(Base):
    """A way in which agents work together; those without a workspace came with the product."""

    __tablename__ = "patterns"
    __table_args__ = (
        Index("uq_patterns_slug", "workspace_id", "slug", unique=True, postgresql_nulls_not_distinct=True),)

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    workspace_id: Mapped[UUID | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, server_default="")
    pattern_type: Mapped[str] = mapped_column(String(20))
    pattern_data: Mapped[dict[str, object]] = mapped_column(JSON, server_default="{}")
    is_active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_by: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
