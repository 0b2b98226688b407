"""What a provider says of itself cannot break the record of a run."""

from typing import Any

import pytest

from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


@pytest.mark.parametrize("tokens", [10**12, -5])
async def test_an_absurd_count_of_tokens_is_not_a_reason_to_ask_again(
    client: Client, make: Make, model_server: ModelServer, tokens: int
) -> None:
    recipe = await make.recipe("Say hello")
    model_server.script(Reply(text="hello", usage=(tokens, 5)), Reply(text="again"))

    run: dict[str, Any] = await client.cooked(recipe["template_id"])

    assert run["status"] == "completed"
    assert len(model_server.calls) == 1


async def test_a_refusal_with_characters_no_table_holds_is_told_all_the_same(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello")
    model_server.script(Reply(status=400, body=b'{"error": {"message": "bad \\u0000 thing"}}'), repeat=True)

    run: dict[str, Any] = await client.cooked(recipe["template_id"])

    assert run["status"] == "failed"
    assert run["error"]["code"] != "worker_lost"
