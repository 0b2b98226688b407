"""The usage ledger and what agents add up."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.llm import usage
from automatos.llm.errors import ModelProblem, ModelRefused
from automatos.llm.types import CallContext, Cost, FailedAttempt, ModelChoice, Usage, UsageRow, UsageStatus
from automatos.llm.usage import UsageRecorder
from tests.durable.conftest import until
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.conftest import Asker


def row(context: CallContext, *, attempt: int = 1, micro_usd: int | None = 30, tokens: int = 100) -> UsageRow:
    cost = None if micro_usd is None else Cost(micro_usd // 3, micro_usd - micro_usd // 3)
    return UsageRow(context, "openai", "gpt-4o-mini", attempt, "success", Usage(tokens - 20, 20), cost, 5)


async def stats_of(database: Database, workspace_id: UUID, agent_id: int) -> dict:
    async with database.recording(workspace_id) as connection:
        return await connection.fetchval("SELECT model_usage_stats FROM agents WHERE id = $1", agent_id)


async def rows_of(database: Database, workspace_id: UUID) -> list[dict]:
    async with database.recording(workspace_id) as connection:
        return [dict(r) for r in await connection.fetch("SELECT * FROM llm_usage ORDER BY id")]


@pytest.mark.capability("S151")
@pytest.mark.capability("S152")
async def test_every_call_is_a_row_with_tokens_and_the_cost_of_the_model_table(
    ask: Asker, ledger, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="Hi", usage=(1001, 333)))

    completion = await ask()

    (found,) = await ledger()
    assert (found["input_tokens"], found["output_tokens"], found["total_tokens"]) == (1001, 333, 1334)
    assert (found["input_cost_micro_usd"], found["output_cost_micro_usd"]) == (150, 200)  # 150.15 and 199.8
    assert found["cost_micro_usd"] == completion.cost_micro_usd == 350
    assert (found["status"], found["run_id"], found["turn"]) == ("success", ask.context.run_id, 1)
    assert found["latency_ms"] == completion.latency_ms


@pytest.mark.capability("S151")
async def test_failed_attempts_are_rows_too(ask: Asker, ledger, model_server: ModelServer) -> None:
    model_server.script(Reply(status=500, headers={"Retry-After": "0"}), Reply(status=400, message="no such field"))

    with pytest.raises(ModelRefused):
        await ask()

    rows = await ledger()
    assert [(r["attempt"], r["status"]) for r in rows] == [(1, "error"), (2, "error")]
    assert "no such field" in rows[1]["error_message"]


async def test_the_fallback_is_booked_as_one(ask: Asker, ledger, model_server: ModelServer) -> None:
    model_server.script(Reply(status=404, code="model_not_found"))

    await ask(choice=ModelChoice("openai", "gpt-old", fallback_model_id="gpt-4o-mini"))

    assert [(r["model_id"], r["status"]) for r in await ledger()] == [("gpt-old", "error"), ("gpt-4o-mini", "fallback")]


@pytest.mark.parametrize("reply", [
    Reply(text="word " * 40, with_usage=False), Reply(text="word " * 40, usage=(0, 0)),
    Reply(text="word " * 40, usage=(70, 0)),
], ids=["nothing", "zeros", "input alone"])
async def test_tokens_the_provider_does_not_tell_are_estimated_and_marked(
    ask: Asker, ledger, model_server: ModelServer, reply: Reply
) -> None:
    model_server.script(reply)

    completion = await ask()

    assert completion.usage.is_estimated
    assert completion.usage.output_tokens == 50
    assert completion.usage.input_tokens == (70 if reply.usage == (70, 0) else completion.usage.input_tokens)
    assert completion.usage.input_tokens > 10
    assert [(r["input_tokens"], r["output_tokens"]) for r in await ledger()] == [
        (completion.usage.input_tokens, 50)]


@pytest.mark.parametrize(("reply", "tokens"), [
    (Reply(text="word " * 80, chunks=8, truncate=True), range(40, 400)),
    (Reply(status=500), range(1)),
    (Reply(status=400, message="no"), range(1)),
], ids=["cut", "server error", "refused"])
async def test_an_attempt_that_was_answered_in_part_counts_and_a_refused_one_does_not(
    ask: Asker, ledger, model_server: ModelServer, reply: Reply, tokens: range
) -> None:
    model_server.script(reply, repeat=True)
    failed: list[FailedAttempt] = []

    with pytest.raises(ModelProblem):
        await ask(retries=0, on_failed=failed.append)

    rows = await ledger()
    assert [r["status"] for r in rows] == ["error"]
    assert rows[0]["total_tokens"] in tokens
    assert [each.usage.total_tokens for each in failed] == [rows[0]["total_tokens"]]
    assert (rows[0]["cost_micro_usd"] == 0) is (rows[0]["total_tokens"] == 0)


@pytest.mark.capability("S153")
async def test_an_agents_statistics_add_up_across_batches(
    database: Database, workspace_id: UUID, agent_id: int
) -> None:
    recorder = UsageRecorder(database)
    for turn in range(1, 8):
        recorder.record(row(CallContext(workspace_id, agent_id, run_id=new_id(), turn=turn), micro_usd=333_333))
        if turn % 3 == 0:
            await recorder.flush()
    await recorder.close()

    stats = await stats_of(database, workspace_id, agent_id)
    assert stats["total_tokens"] == 700
    assert stats["total_requests"] == 7
    assert stats["avg_tokens_per_request"] == 100
    assert Decimal(stats["total_cost"]) == Decimal("2.333331")
    assert stats["last_used_at"].endswith("Z")


async def test_a_call_reported_twice_is_booked_once(database: Database, workspace_id: UUID, agent_id: int) -> None:
    recorder = UsageRecorder(database)
    context = CallContext(workspace_id, agent_id, run_id=new_id(), turn=1)

    recorder.record(row(context))
    await recorder.flush()
    recorder.record(row(context))
    recorder.record(row(context))
    recorder.record(row(context, attempt=2))
    await recorder.close()

    assert len(await rows_of(database, workspace_id)) == 2
    assert (await stats_of(database, workspace_id, agent_id))["total_requests"] == 2


async def test_calls_of_an_agent_that_is_gone_or_foreign_are_kept_without_it(
    database: Database, workspace_id: UUID
) -> None:
    recorder = UsageRecorder(database)
    recorder.record(row(CallContext(workspace_id, agent_id=2_000_000_000, run_id=new_id(), turn=1)))
    await recorder.close()

    (found,) = await rows_of(database, workspace_id)
    assert (found["agent_id"], found["total_tokens"]) == (None, 100)


async def test_rows_are_there_after_a_flush(database: Database, workspace_id: UUID) -> None:
    recorder = UsageRecorder(database)
    recorder.record(row(CallContext(workspace_id)))
    await recorder.flush()

    assert len(await rows_of(database, workspace_id)) == 1


@pytest.mark.capability("S154")
async def test_a_ledger_that_cannot_be_written_breaks_no_call_and_is_caught_up(
    ask: Asker, database: Database, workspace_id: UUID, monkeypatch: pytest.MonkeyPatch, ledger
) -> None:
    working = database.recording
    failures = iter([OSError("connection refused")] * 2)

    def recording(*args, **kwargs):
        if error := next(failures, None):
            raise error
        return working(*args, **kwargs)

    completion = await ask("Before")
    monkeypatch.setattr(database, "recording", recording)

    again = await ask("After", context=CallContext(workspace_id, run_id=new_id(), turn=2))

    assert (completion.status, again.status) == ("success", "success")
    assert len(await ledger()) == 2


@pytest.mark.capability("S154")
async def test_a_row_that_can_never_be_written_is_given_up_and_others_go_on(
    database: Database, workspace_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automatos.kernel.batches.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("automatos.kernel.batches.LONGEST_PAUSE_S", 0.002)
    recorder = UsageRecorder(database)
    recorder.record(row(CallContext(new_id(), run_id=new_id(), turn=1)))  # no such workspace
    recorder.record(row(CallContext(workspace_id, run_id=new_id(), turn=1)))

    await recorder.close()

    assert len(await rows_of(database, workspace_id)) == 1


async def test_rows_of_many_workspaces_in_one_batch_stay_apart(database: Database, workspace_id: UUID) -> None:
    other = new_id()
    async with database.recording(None, Scope.AUTH) as connection:
        await connection.execute(
            "INSERT INTO workspaces (id, name, slug) VALUES ($1, 'Other', $2)", other, f"other-{other.hex}")
    recorder = UsageRecorder(database)
    for at in (workspace_id, other, other):
        recorder.record(row(CallContext(at)))
    await recorder.close()

    assert (len(await rows_of(database, workspace_id)), len(await rows_of(database, other))) == (1, 2)


@pytest.mark.parametrize(("status", "run_id"), [("error", new_id()), ("cancelled", new_id()), ("success", None)])
async def test_a_call_of_which_nothing_else_tells_does_not_wait_for_the_next_batch(
    database: Database, workspace_id: UUID, monkeypatch: pytest.MonkeyPatch, status: UsageStatus, run_id: UUID | None,
) -> None:
    monkeypatch.setattr(usage, "EVERY_S", 3600)
    recorder = UsageRecorder(database)
    recorder.record(row(CallContext(workspace_id, run_id=new_id(), turn=1)))  # the run's journal has it, too
    await asyncio.sleep(0)
    recorder.record(replace(row(CallContext(workspace_id, run_id=run_id, turn=1)), status=status))

    async def are_written() -> bool:
        return len(await rows_of(database, workspace_id)) == 2

    await until(are_written)
    await recorder.close()
