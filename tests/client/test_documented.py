"""What the page on the Python client shows runs as it stands there."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surface import Client, Make

PAGE = Path(__file__).parents[2] / "docs/how-to/use-the-python-client.md"
SNIPPETS = re.findall(r"^## (.+?)\n.*?^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
PRINTS = {
    "Start a recipe and follow it": "1 execution.queued\n",
    "Awaited": "completed ",
    "Give an agent a task": "",
    "Everything else": "",
    "When it does not work": "404 recipe_not_found ",
}


def test_every_example_is_run() -> None:
    assert [title for title, _ in SNIPPETS] == list(PRINTS)


@pytest.mark.parametrize(("title", "code"), SNIPPETS, ids=[title for title, _ in SNIPPETS])
async def test_an_example_runs_as_it_stands(title: str, code: str, client: Client, make: Make) -> None:
    writer = await make.agent("Writer")
    await make.recipe({"prompt_template": "Report on {input.topic}", "agent_id": writer["id"]},
                      template_id="morning-report", inputs={"topic": {"type": "string"}})
    variables = {"AUTOMATOS_URL": str(client.http._base_url), "AUTOMATOS_API_KEY": client.headers["X-API-Key"]}

    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-W", "error", "-c", code], env=os.environ | variables, capture_output=True,
        text=True, check=False, timeout=300)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(PRINTS[title])
