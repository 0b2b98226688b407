"""Every kind of failure of a provider, on every surface: one table says what people see, and whether it is retried."""

from collections.abc import Iterator

import pytest

from automatos.cli.progress import line_of
from automatos.client import RunEvent
from automatos.llm import errors
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

AT_ONCE = {"Retry-After": "0"}
FAILURES: dict[type[errors.ModelProblem], Reply] = {
    errors.ModelUnavailable: Reply(status=503, headers=AT_ONCE, message="no room today"),
    errors.RateLimited: Reply(status=429, headers=AT_ONCE, message="slow down"),
    errors.QuotaExhausted: Reply(status=429, message="You exceeded your current quota", code="insufficient_quota"),
    errors.ModelAnswerInvalid: Reply(text="half of it " * 20, chunks=8, truncate=True),
    errors.ModelAnswerTooLong: Reply(text="x" * 5_000_000, chunks=20),
    errors.ModelAnswerEmpty: Reply(text=""),
    errors.ModelRefused: Reply(status=400, message="the prompt is odd"),
    errors.ContextTooLong: Reply(status=400, message="This model's maximum context length is 8192 tokens.",
                                 code="context_length_exceeded"),
    errors.AnswerRefused: Reply(text="", finish_reason="content_filter"),
    errors.ModelNotFound: Reply(status=404, message="The model does not exist"),
    errors.AddressWrong: Reply(status=404, message="Not Found"),
    errors.AccessRefused: Reply(status=403, message="Country, region, or territory not supported",
                                code="unsupported_country_region_territory"),
    errors.CredentialRefused: Reply(status=401, message="Incorrect API key provided"),
}
ELSEWHERE = {
    errors.PromptTooLong: "nobody is asked: tests/recipes/test_prompt_length.py",
    errors.ModelTimeout: "ends by a clock: tests/journeys/test_failures.py",
    errors.FeatureRefused: "is asked again without the feature: tests/llm/test_refused_features.py",
    errors.ToolsRefused: "needs an agent with tools: tests/llm/test_refused_features.py",
    errors.CredentialMissing: "nobody is asked: tests/llm/test_complete.py",
}
TABLE = pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.code)


def kinds_below(kind: type[errors.ModelProblem]) -> Iterator[type[errors.ModelProblem]]:
    for each in kind.__subclasses__():
        yield each
        yield from kinds_below(each)


def test_the_table_holds_every_kind_of_failure() -> None:
    assert set(kinds_below(errors.ModelProblem)) == FAILURES.keys() | ELSEWHERE.keys()


@TABLE
async def test_the_api_says_what_happened_and_what_to_do(
    client: Client, model_server: ModelServer, kind: type[errors.ModelProblem]
) -> None:
    reply = FAILURES[kind]
    model_server.script(reply, repeat=True)

    told = (await client.post("/api/models/test", json={"provider": "openai", "model_id": "fake-model"})).json()

    problem = told["problem"]
    assert (told["ok"], problem["code"], problem["title"]) == (False, kind.code, kind.title)
    assert problem["next_step"]
    assert problem["detail"].endswith(problem["next_step"])
    if reply.status != 200:
        assert problem["provider_status"] == reply.status
        assert kind is errors.AddressWrong or reply.message in problem["detail"]
    assert len(model_server.calls) == 1


@TABLE
async def test_the_run_and_the_command_line_tell_it_and_it_is_retried_where_that_helps(
    client: Client, make: Make, model_server: ModelServer, kind: type[errors.ModelProblem]
) -> None:
    recipe = await make.recipe("Say hello", execution_config={"max_retries": 1, "retry_delay_ms": 1})
    model_server.script(FAILURES[kind], repeat=True)

    run_id = await client.cook(recipe["template_id"])
    events = await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    step, tries = run["steps"][0], 2 if kind.is_retryable else 1
    assert (run["status"], step["status"], len(model_server.calls)) == ("failed", "failed", tries)
    assert (run["error"]["code"], step["error"]) == (kind.code, run["error"])
    assert run["error"]["next_step"]
    assert run["error"]["next_step"] not in run["error"]["message"]
    assert [(each["code"], each["then"]) for each in step["attempts"]] == [
        (kind.code, "again" if number < tries else "nothing") for number in range(1, tries + 1)]
    assert step["output"] is None
    lines = [line for each in events
             if (line := line_of(RunEvent(each["seq"], each["type"], each["at"], each["data"], "")))]
    failed = next(line for line in lines if f"attempt {tries} of 2 failed: " in line)
    assert step["attempts"][-1]["reason"][:40] in failed
    assert run["error"]["message"][:40] in lines[-1]
    assert sum("tries again" in line for line in lines) == tries - 1


async def test_a_prompt_that_is_too_long_is_one_failure_whoever_counted(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    ended = list[dict[str, object]]()
    model_server.script(FAILURES[errors.ContextTooLong])
    for prompt in ("Say hello", "{input.x}" * 2_500):
        recipe = await make.recipe(prompt, inputs={"x": {"type": "string"}}, execution_config={"max_retries": 0})
        ended.append((await client.cooked(recipe["template_id"], x="x" * 10_000))["error"])

    said, counted = ended
    assert (said["code"], said["next_step"]) == (counted["code"], counted["next_step"])
    assert said["code"] == "prompt_too_long"
    assert "openai" in str(said["message"]).lower()
    assert "25,0" in str(counted["message"])
    assert len(model_server.calls) == 1, "what is counted here is not sent"
