"""Clients that public generators make from our description list, start and follow a run of a running server."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi import FastAPI

from hatch_build import find_node
from tests.surface import Client, Make

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "tests/generated_clients"
TOOL = ROOT / ".ci/generate-client"
LEFT_OUT = {"POST /api/skills/upload"}
"""Operations whose body is no JSON, which the Python generator does not know."""


@pytest.fixture(name="folder")
def folder_with_description(app: FastAPI, tmp_path: Path) -> Path:
    """A folder with the description and the scripts, in which clients are made."""
    (tmp_path / "openapi.json").write_bytes(orjson.dumps(app.openapi()))
    for script in SCRIPTS.iterdir():
        shutil.copy(script, tmp_path)
    return tmp_path


async def run(folder: Path, *command: str | Path, **variables: str) -> str:
    """Run a program to its end and return what it wrote; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=folder, env=os.environ | variables, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT)
    written = (await process.communicate())[0].decode()
    assert process.returncode == 0, written
    return written


async def judged(client: Client, written: str) -> None:
    """A script's last line is what the server says of the run that it started and followed."""
    told: dict[str, Any] = json.loads(written.splitlines()[-1])
    run = (await client.get(f"/api/runs/{told['run']}")).json()
    assert told == {"run": run["id"], "status": "completed", "events": run["last_seq"],
                    "output": run["output_data"]["final_output"]}


async def test_openapi_python_client_makes_one_that_follows(folder: Path, client: Client, make: Make) -> None:
    (folder / "config.yaml").write_text("post_hooks: []\n")
    written = await run(folder, sys.executable, TOOL, "generate", "--path", "openapi.json", "--output-path", "made",
                        "--meta", "none", "--config", "config.yaml")
    left_out = {line.split("parsing ")[1].split(" within")[0] for line in written.splitlines()
                if line.endswith("Endpoint will not be generated.")}
    assert left_out == LEFT_OUT

    await make.recipe()
    told = await run(folder, sys.executable, "follow.py", str(client.http._base_url), client.headers["X-API-Key"],
                     PYTHONPATH=str(Path(sys.prefix) / "generator"))
    await judged(client, told)


async def test_hey_api_makes_one_that_follows(folder: Path, client: Client, make: Make) -> None:
    (folder / "node_modules").symlink_to(ROOT / "web/node_modules")
    (folder / "tsconfig.json").write_text(json.dumps({
        "compilerOptions": {"strict": True, "noEmit": True, "target": "es2023", "module": "esnext",
                            "moduleResolution": "bundler", "lib": ["es2023", "dom", "dom.iterable"],
                            "types": ["node"], "skipLibCheck": True},
        "files": ["follow.ts"],
    }))
    node, tools = find_node().program, ROOT / "web/node_modules/.bin"
    await run(folder, node, tools / "openapi-ts", "-i", "openapi.json", "-o", "made", "-c", "@hey-api/client-fetch")
    await run(folder, node, tools / "tsc", "--project", "tsconfig.json")
    await run(folder, node, tools / "rolldown", "follow.ts", "--file", "follow.mjs", "--platform", "node")

    await make.recipe()
    told = await run(folder, node, "follow.mjs", str(client.http._base_url), client.headers["X-API-Key"])
    await judged(client, told)
