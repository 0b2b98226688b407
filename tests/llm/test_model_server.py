"""The scripted model server as a process of its own, as benchmarks and chaos tests use it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def alone() -> AsyncIterator[str]:
    """The base URL of a server in another process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.model_server", "--chunks", "4", cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    yield (await process.stdout.readline()).decode().strip()
    process.terminate()
    await process.wait()


async def test_it_is_scripted_asked_and_reset_over_http(alone: str) -> None:
    control = alone.removesuffix("/v1")
    question = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}

    async with aiohttp.ClientSession() as session:
        script = {"replies": [{"text": "Scripted"}, {"status": 503}]}
        async with session.post(f"{control}/script", json=script) as response:
            assert (await response.json()) == {"rules": 2}
        answers = []
        for _ in range(3):
            async with session.post(f"{alone}/chat/completions", json=question) as response:
                answers.append((response.status, await response.json()))
        async with session.get(f"{control}/calls") as response:
            calls = await response.json()
        async with session.post(f"{control}/script", json={"replies": [{"txt": "typing mistake"}]}) as response:
            assert response.status == 422
        await (await session.post(f"{control}/reset")).read()
        async with session.get(f"{control}/calls") as response:
            assert await response.json() == []

    texts = [body["choices"][0]["message"]["content"] for status, body in answers if status == 200]
    assert [status for status, _ in answers] == [200, 503, 200]
    assert texts == ["Scripted", "m answers: Hello"]
    assert [call["last_user_text"] for call in calls] == ["Hello"] * 3
