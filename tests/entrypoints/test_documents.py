"""The documentation ships with the package and is served: every page, every link between them, and nothing else."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from automatos.entrypoints.documents import list_pages

ROOT = Path(__file__).parents[2]


async def test_every_page_is_listed_and_every_link_between_pages_leads_somewhere(serve) -> None:
    site = await serve()
    async with site.get("/docs") as response:
        index = await response.text()
    assert (response.status, response.content_type) == (200, "text/html")
    listed = set(re.findall(r'href="/docs/([^"]+)"', index))
    assert {"how-to/connect-a-model", "reference/settings", "start-here"} <= listed
    assert listed == {name for name, _ in list_pages()}

    leads_to: dict[str, str] = {}
    for name in sorted(listed):
        async with site.get(f"/docs/{name}") as response:
            html = await response.text()
        assert response.status == 200, name
        assert "<h1>" in html
        assert "<script" not in html
        leads_to |= dict.fromkeys(re.findall(r'href="/docs/((?:how-to|reference)/[^"#]+)', html), name)
    for link, source in leads_to.items():
        assert link in listed, (source, link)


async def test_editors_get_a_schema_that_takes_every_example_and_finds_what_the_server_would_refuse(serve) -> None:
    site = await serve()
    async with site.get("/api/schemas/recipe.json") as response:
        assert (response.status, response.content_type) == (200, "application/schema+json")
        schema = await response.json(content_type=None)
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    examples = sorted((ROOT / "examples/recipes").glob("*.yaml"))

    assert len(examples) >= 3
    for path in examples:
        text = path.read_text()
        hint = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert hint, path
        assert (path.parent / hint[1]).resolve() == ROOT / "docs/reference/recipe.schema.json"
        assert list(check.iter_errors(yaml.safe_load(text))) == []
    wrong = yaml.safe_load(examples[0].read_text())
    wrong["recipe"]["steps"][0]["promt_template"] = wrong["recipe"]["steps"][0].pop("prompt_template")
    assert [error.message for error in check.iter_errors(wrong) if "promt_template" in error.message]


async def test_an_agent_as_a_document_fits_the_schema_of_agents_and_other_kinds_have_none(serve) -> None:
    site = await serve()
    async with site.get("/api/schemas/agent.json") as response:
        check = Draft202012Validator(await response.json(content_type=None))
    agent = {"apiVersion": "automatos/v1", "kind": "Agent", "name": "Scout", "configuration": {"timeout_seconds": 60}}

    assert list(check.iter_errors(agent)) == []
    assert list(check.iter_errors(agent | {"configuration": {"timeout_seconds": 1}}))
    async with site.get("/api/schemas/workspace.json") as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (404, "page_not_found")


@pytest.mark.parametrize("name", [
    "nothing", "how-to/nothing", "../pyproject.toml", "..%2fpyproject", "decisions/0001-floors-and-front-doors",
    "how-to/../../README", "reference/settings.yaml", "/etc/passwd", "HOW-TO/connect-a-model",
])
async def test_other_files_are_no_pages(serve, name: str) -> None:
    site = await serve()
    async with site.get(f"/docs/{name}") as response:
        assert response.status == 404


async def test_the_usual_addresses_of_an_api_lead_to_ours_also_below_a_path(serve) -> None:
    site = await serve(base_path="/automatos")
    async with site.get("/automatos/openapi.json") as response:
        assert (response.status, response.url.path) == (200, "/automatos/api/openapi.json")
    async with site.get("/automatos/docs") as response:
        html = await response.text()
    assert 'href="/automatos/api/docs"' in html
    assert 'href="/automatos/docs/how-to/connect-a-model"' in html


def test_the_wheel_holds_what_is_served() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    shipped = build["force-include"]
    for name, _ in list_pages():
        assert any(f"docs/{name}.md" == source or f"docs/{name}.md".startswith(f"{source}/") for source in shipped)
