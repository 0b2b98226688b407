"""What an agent's configuration allows its calls: memory and processor time of commands, speed of the web."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from automatos.tools import guard
from automatos.tools.sandbox import Order, held_to
from automatos.tools.service import Toolbox
from automatos.tools.types import ResourceLimits, ToolContext, ToolResult
from tests.tools.conftest import Site

Make = Callable[..., ToolContext]
EAT = "python3 -c 'x = bytearray(400 * 2**20); print(len(x))'"
SPIN = "python3 -c 'while True: pass'"


@pytest.fixture
async def shell(toolbox: Toolbox, home: Path) -> Toolbox:
    del home
    await toolbox.open()
    if reason := toolbox.off_reason("shell"):
        pytest.skip(f"no sandbox on this machine: {reason}")
    return toolbox


def limits(**changes: int) -> ResourceLimits:
    return ResourceLimits(**({"memory_mb": 1024, "cpu_percent": 100, "network_bandwidth": 100} | changes))


async def run(toolbox: Toolbox, context: ToolContext, command: str, **more: Any) -> ToolResult:
    return await toolbox.call("shell", orjson.dumps({"command": command} | more).decode(), context)


@pytest.mark.capability("S028")
async def test_a_command_gets_the_memory_the_agent_has(shell: Toolbox, context: Make) -> None:
    within = await run(shell, context(limits=limits(memory_mb=1024)), EAT)
    beyond = await run(shell, context(limits=limits(memory_mb=256)), EAT)
    unsaid = await run(shell, context(), EAT)

    assert within.output == unsaid.output == "exit code 0\n419430400\n"
    assert "MemoryError" in beyond.output


@pytest.mark.capability("S028")
async def test_a_command_gets_the_processor_time_the_agent_has(shell: Toolbox, context: Make) -> None:
    told = await run(shell, context(limits=limits(cpu_percent=10)), SPIN, timeout_seconds=10)

    assert told.ok
    assert not told.output.startswith("exit code 0")


@pytest.mark.capability("S028")
async def test_web_tools_read_no_faster_than_the_agent_may(
    open_toolbox: Toolbox, context: Make, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.answers["/page"] = lambda _: web.Response(text="x" * 200_000)
    ask = orjson.dumps({"url": f"{site.url}/page"}).decode()
    monkeypatch.setattr(guard, "clock", lambda: 100.0)  # as if reading took no time at all
    pauses: list[float] = []
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda delay_s: pauses.append(delay_s) or sleep(0))

    slow = await open_toolbox.call("http_fetch", ask, context(limits=limits(network_bandwidth=2)))
    held_back, all_of_it_s = list(pauses), pytest.approx(200_000 / (2 * 125_000))
    pauses.clear()
    fast = await open_toolbox.call("http_fetch", ask, context())

    assert (slow.ok, fast.ok) == (True, True)
    assert all_of_it_s in held_back  # beside what else sleeps in this process
    assert all_of_it_s not in pauses


@pytest.mark.parametrize(("given", "timeout_s", "held"), [
    (None, 30, ["--cpu=30", f"--as={2 * 1024**3}"]),
    (limits(memory_mb=512, cpu_percent=50), 30, ["--cpu=15", f"--as={512 * 1024**2}"]),
    (limits(memory_mb=65_536, cpu_percent=100), 55, ["--cpu=30", f"--as={2 * 1024**3}"]),
    (limits(memory_mb=64, cpu_percent=1), 10, ["--cpu=1", f"--as={64 * 1024**2}"]),
])
def test_the_servers_own_limits_hold_above_the_agents(
    tmp_path: Path, given: ResourceLimits | None, timeout_s: float, held: list[str]
) -> None:
    assert held_to(Order("true", tmp_path, timeout_s, given))[:2] == held
