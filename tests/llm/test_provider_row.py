"""A provider is one row of `providers.yaml`: with it alone an agent works, and everything else follows."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from automatos.credentials import base_urls, providers, seed
from automatos.kernel.shipped import parse_shipped
from automatos.llm import prices
from automatos.llm.service import provider_by_model
from tests.fakes.model_server import ModelServer
from tests.surface import Client, Make

KEPT = (providers.providers_by_name, providers.get_provider, base_urls.put_right, base_urls._paths_by_host)


def forget() -> None:
    for kept in KEPT:
        kept.cache_clear()


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_server: ModelServer) -> Iterator[dict[str, Any]]:
    """One more row, in a copy of the table; its server is the scripted one."""
    row: dict[str, Any] = {
        "name": "lark", "display_name": "Lark", "wire": "openai", "base_url": model_server.base_url, "is_local": True,
        "env_variable": "LARK_API_KEY", "default_model": "lark-1", "model_prefixes": ["lark-"],
        "published_as": "lark-ai", "cache_write_factor": "1.5", "credential_about": "A key of Lark.",
        "credential_page": "https://lark.example/keys",
    }
    table = tmp_path / "providers.yaml"
    shipped = files("automatos.credentials").joinpath("providers.yaml").read_text("utf-8")
    table.write_text(shipped + yaml.safe_dump([row]))
    monkeypatch.setattr(providers, "read_shipped", lambda *_: parse_shipped(table.read_text("utf-8")))
    monkeypatch.setenv("LARK_API_KEY", "key-of-the-lark")
    forget()
    yield row
    forget()


@pytest.mark.usefixtures("row")
async def test_an_agent_works_with_a_provider_that_is_one_row(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(preferred_model="lark-2")  # its name says whose it is
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Sing"})

    run = await client.cooked(recipe["template_id"])

    assert agent["model_config"]["provider"] == "lark"
    assert run["status"] == "completed", run
    asked = model_server.calls[-1]
    assert (asked.body["model"], asked.headers["authorization"]) == ("lark-2", "Bearer key-of-the-lark")


@pytest.mark.usefixtures("row")
async def test_the_list_of_providers_its_credentials_and_its_prices_follow_from_the_row(client: Client) -> None:
    listed = {one["name"]: one for one in (await client.get("/api/models/providers")).json()["items"]}
    kind = next(one for one in seed.shipped_types() if one["name"] == "lark_api")

    assert (listed["lark"]["display_name"], listed["lark"]["configured"]) == ("Lark", True)
    assert listed["lark"]["env_variable"] == "LARK_API_KEY"
    assert (kind["description"], kind["documentation_url"]) == ("A key of Lark.", "https://lark.example/keys")
    assert (list(kind["schema"]["properties"]), kind["schema"]["required"]) == (
        ["api_key", "base_url", "wire"], ["api_key"])
    assert (provider_by_model("lark-9"), provider_by_model("owl-9")) == ("lark", None)
    assert (prices._published_name("lark"), str(prices._cache_write_factor("lark"))) == ("lark-ai", "1.5")


async def test_without_the_row_nobody_knows_it(client: Client) -> None:
    forget()
    listed = {one["name"] for one in (await client.get("/api/models/providers")).json()["items"]}

    assert "lark" not in listed
    assert provider_by_model("lark-9") is None
    assert "lark_api" not in {one["name"] for one in seed.shipped_types()}
