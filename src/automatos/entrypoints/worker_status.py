"""What a worker answers on an address of its own: `/metrics` for Prometheus, `/health` for who restarts it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from automatos.entrypoints.services import Services
from automatos.kernel.errors import Problem


class WorkerAddressTaken(Problem):
    """A worker cannot answer at the address it was given."""

    status = 503
    code = "worker_address_taken"
    title = "The worker's address cannot be had"


@asynccontextmanager
async def answering(services: Services, address: str | None) -> AsyncGenerator[None]:
    """Answer at `host:port` while the block lasts. Nobody is asked who they are: the operator closes the address.

    Raises:
        WorkerAddressTaken: another process has it, or this machine does not.
    """
    if address is None:
        yield
        return
    runner = web.AppRunner(_app(services), access_log=None)
    await runner.setup()
    try:
        host, _, port = address.rpartition(":")
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            why = error.strerror or error
            raise WorkerAddressTaken(f"AUTOMATOS_WORKER_ADDRESS is {address}: {why}. Choose another one.") from error
        yield
    finally:
        await runner.cleanup()


def _app(services: Services) -> web.Application:
    async def tell_metrics(_: web.Request) -> web.Response:
        return web.Response(body=services.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def tell_health(_: web.Request) -> web.Response:
        report = await services.health.report()
        return web.Response(text=report.model_dump_json(), content_type="application/json",
                            status=503 if report.status == "unhealthy" else 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", tell_metrics), web.get("/health", tell_health)])
    return app
