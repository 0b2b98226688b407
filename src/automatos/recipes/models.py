"""Tables: recipes, their versions, executions and step records."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Identity, Index, Integer, String, Text, func, text
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from automatos.kernel.db import Base

AWARE = DateTime(timezone=True)


class Recipe(Base):
    """A multi-step definition; the newest version is kept here, every saved one in `recipe_versions`."""

    __tablename__ = "workflow_recipes"
    __table_args__ = (
        Index("uq_recipes_template", "workspace_id", "template_id", unique=True,
              postgresql_where=text("deleted_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    template_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, server_default="")
    tags: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    # JSON and not JSONB where people choose the names: JSONB sorts them, and a form shows them as they were written.
    inputs: Mapped[dict[str, object]] = mapped_column(JSON, server_default="{}")
    outputs: Mapped[dict[str, object]] = mapped_column(JSON, server_default="{}")
    steps: Mapped[list[dict[str, object]]] = mapped_column(JSONB, server_default="[]")
    execution_config: Mapped[dict[str, object]] = mapped_column(JSONB, server_default="{}")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_by: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(AWARE)


class RecipeVersion(Base):
    """A saved state of a recipe; executions run the version they started with."""

    __tablename__ = "recipe_versions"

    recipe_id: Mapped[int] = mapped_column(ForeignKey("workflow_recipes.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    definition: Mapped[dict[str, object]] = mapped_column(JSON)
    author: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())


LISTED_AS = text("(\nCASE\n WHEN parent IS NULL THEN CAST(kind AS text)\n ELSE 'part'\nEND)")
"""How a run is found in lists: by its kind, or as a part of the run whose step has started it.

Lines are divided where PostgreSQL divides them, so that models and migrations can be compared.
"""


class RecipeExecution(Base):
    """One execution: of a recipe, or of a task for one agent (`kind`), which carries its own definition.

    `epoch` rises at each takeover and fences late writers; `last_seq` numbers its events.
    """

    __tablename__ = "recipe_executions"
    __table_args__ = (
        Index("ix_executions_open", "deadline_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_executions_recipe", "recipe_id", "id"),
        Index("ix_executions_workspace", "workspace_id", LISTED_AS, "id"),
        Index("ix_executions_status", "workspace_id", "status", LISTED_AS, "id",
              postgresql_where=text("finished_at IS NOT NULL")),
        Index("ix_executions_recipe_status", "status", "recipe_id", "id",
              postgresql_where=text("finished_at IS NOT NULL AND recipe_id IS NOT NULL")),
        Index("ix_executions_agent", "agent_id", "kind", "id", postgresql_where=text("agent_id IS NOT NULL")),
        Index("ix_executions_agent_status", "agent_id", "status", "kind", "id",
              postgresql_where=text("finished_at IS NOT NULL AND agent_id IS NOT NULL")),
        Index("ix_executions_finished", "workspace_id", "finished_at",
              postgresql_where=text("finished_at IS NOT NULL AND kind <> 'heartbeat'")),
        Index("uq_executions_idempotency", "workspace_id", "idempotency_key", unique=True,
              postgresql_where=text("idempotency_key IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column()
    kind: Mapped[str] = mapped_column(String(20), server_default="recipe")
    recipe_id: Mapped[int | None] = mapped_column(ForeignKey("workflow_recipes.id", ondelete="CASCADE"))
    recipe_version: Mapped[int] = mapped_column(Integer)
    agent_id: Mapped[int | None] = mapped_column(Integer)
    definition: Mapped[dict[str, object] | None] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(30), server_default="queued")
    input_data: Mapped[dict[str, object]] = mapped_column(JSON, server_default="{}")
    output_data: Mapped[dict[str, object] | None] = mapped_column(JSON)
    error: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    current_step: Mapped[int] = mapped_column(Integer, server_default="0")
    total_steps: Mapped[int] = mapped_column(Integer)
    input_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    output_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    cost_micro_usd: Mapped[int] = mapped_column(BigInteger, server_default="0")
    unpriced_calls: Mapped[int] = mapped_column(Integer, server_default="0")
    is_estimated: Mapped[bool] = mapped_column(Boolean, server_default="false")
    is_cut_off: Mapped[bool] = mapped_column(Boolean, server_default="false")
    epoch: Mapped[int] = mapped_column(Integer, server_default="0")
    last_seq: Mapped[int] = mapped_column(Integer, server_default="0")
    cancel_requested_by: Mapped[str | None] = mapped_column(String(320))
    paused_by: Mapped[str | None] = mapped_column(String(320))
    signals: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    request_hash: Mapped[str | None] = mapped_column(String(64))
    triggered_by: Mapped[str] = mapped_column(String(320), server_default="")
    created_at: Mapped[datetime] = mapped_column(AWARE, server_default=func.now())
    forked_from: Mapped[UUID | None] = mapped_column()
    parent: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    started_at: Mapped[datetime | None] = mapped_column(AWARE)
    finished_at: Mapped[datetime | None] = mapped_column(AWARE)
    deadline_at: Mapped[datetime | None] = mapped_column(AWARE)


class RecipeRunCount(Base):
    """How many executions of a recipe have an id below `up_to`; those since then are counted when somebody asks."""

    __tablename__ = "recipe_run_counts"

    recipe_id: Mapped[int] = mapped_column(ForeignKey("workflow_recipes.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column()
    runs: Mapped[int] = mapped_column(BigInteger)
    up_to: Mapped[UUID] = mapped_column()


class ExecutionStep(Base):
    """What became of one step of one execution; `attempt` counts tries, `run_id` is the run of the latest.

    Steps of a graph have a `path` and a writer each (`epoch`, `last_seq`), a for-each its `items`. What a request may
    use is `reserved_tokens`, which hold as long as the writer and its place are the reserved ones.

    No foreign key leads to the execution: steps are written under a lock on it, and go with it by a trigger there.

    `attempts` holds those that failed; `cost_micro_usd` is what is known of the cost, `unpriced_calls` counts the rest.
    """

    __tablename__ = "recipe_execution_steps"
    __table_args__ = (
        Index("ix_execution_steps_agent", "agent_id", "status", "execution_id", "step_order"),
        Index("uq_execution_steps_path", "execution_id", "path", unique=True,
              postgresql_where=text("path IS NOT NULL")),
        Index("ix_execution_steps_reserved", "execution_id", postgresql_where=text("reserved_tokens IS NOT NULL")),
    )

    execution_id: Mapped[UUID] = mapped_column(primary_key=True)
    order: Mapped[int] = mapped_column("step_order", Integer, primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column()
    step_id: Mapped[str] = mapped_column(String(100))
    path: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(20), server_default="agent")
    epoch: Mapped[int] = mapped_column(Integer, server_default="0")
    last_seq: Mapped[int] = mapped_column(Integer, server_default="0")
    items: Mapped[list[object] | None] = mapped_column(JSONB)
    detail: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    agent_id: Mapped[int | None] = mapped_column(Integer)
    agent_name: Mapped[str] = mapped_column(String(255), server_default="")
    status: Mapped[str] = mapped_column(String(20))
    attempt: Mapped[int] = mapped_column(Integer, server_default="1")
    run_id: Mapped[UUID | None] = mapped_column()
    prompt: Mapped[str] = mapped_column(Text, server_default="")
    output_key: Mapped[str] = mapped_column(String(100))
    output: Mapped[str | None] = mapped_column(Text)
    error: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    input_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    output_tokens: Mapped[int] = mapped_column(Integer, server_default="0")
    cost_micro_usd: Mapped[int] = mapped_column(BigInteger, server_default="0")
    unpriced_calls: Mapped[int] = mapped_column(Integer, server_default="0")
    is_estimated: Mapped[bool] = mapped_column(Boolean, server_default="false")
    is_cut_off: Mapped[bool] = mapped_column(Boolean, server_default="false")
    attempts: Mapped[list[dict[str, object]]] = mapped_column(JSONB, server_default="[]")
    started_at: Mapped[datetime | None] = mapped_column(AWARE)
    finished_at: Mapped[datetime | None] = mapped_column(AWARE)
    reserved_tokens: Mapped[int | None] = mapped_column(Integer)
    reserved_epoch: Mapped[int | None] = mapped_column(Integer)
    reserved_seq: Mapped[int | None] = mapped_column(Integer)
    reserved_until: Mapped[datetime | None] = mapped_column(AWARE)
