"""Trying a model as it is about to be configured: one tiny real call."""

from dataclasses import replace
from uuid import UUID

from automatos.credentials.service import get_provider
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable, Problem
from automatos.llm.answers import TrialProblem, TrialResult
from automatos.llm.bodies import ModelTrial
from automatos.llm.service import ModelClient, check_choice
from automatos.llm.types import CallContext, Message, ModelChoice

DEADLINE_S = 20.0
MAX_TOKENS = 512
"""Enough for a model that thinks before it says one word."""
REQUEST_TYPE = "test"
PROMPT = "This is a test of the connection. Answer with the single word: ready"


async def try_model(database: Database, models: ModelClient, workspace_id: UUID, body: ModelTrial) -> TrialResult:
    """Ask a model once, without retries and within 20 seconds; a refusal is a result. Written to the ledger.

    Raises:
        UnknownProvider: there is no such provider.
    """
    get_provider(body.provider)
    choice = ModelChoice(body.provider, body.model_id, body.temperature, body.max_tokens, body.top_p,
                         reasoning_effort=body.reasoning_effort)
    faults = await check_choice(database, choice)
    choice = replace(choice, max_tokens=min(body.max_tokens or MAX_TOKENS, MAX_TOKENS))
    context = CallContext(workspace_id, request_type=REQUEST_TYPE, environment=body.environment)
    try:
        answer = await models.complete(choice, [Message("user", PROMPT)], (), context, on_delta=None,
                                       deadline_s=DEADLINE_S, retries=0)
    except DatabaseUnavailable:
        raise  # no answer of the model's
    except Problem as problem:
        return TrialResult(ok=False, provider=choice.provider, model_id=choice.model_id, text="", latency_ms=0,
                           input_tokens=0, output_tokens=0, cost_usd=None, faults=faults, problem=_shown(problem))
    return TrialResult(
        ok=True, provider=answer.provider, model_id=answer.model_id, text=answer.text[:1000],
        latency_ms=answer.latency_ms, input_tokens=answer.usage.input_tokens,
        output_tokens=answer.usage.output_tokens, cost_usd=answer.cost_micro_usd, faults=faults, problem=None,
    )


def _shown(problem: Problem) -> TrialProblem:
    return TrialProblem(code=problem.code, title=problem.title, detail=problem.detail,
                        provider_status=problem.extra.get("provider_status"),
                        next_step=problem.extra.get("next_step"))
