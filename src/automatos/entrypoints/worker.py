"""One worker process: takes jobs from the database a server works on, and hands back what it cannot finish."""

from automatos.entrypoints.migrate import Migrated, prepare
from automatos.entrypoints.serve import STEPS_GRACE_S, stopping_on_signals
from automatos.kernel.config import Settings
from automatos.kernel.errors import Problem
from automatos.kernel.memory import load, settle
from automatos.kernel.running import read_note


class NoDatabase(Problem):
    """A worker was started with no database to take work from."""

    status = 503
    code = "no_database"
    title = "There is no database to take work from"


async def work(settings: Settings) -> None:
    """Work until a signal; running steps get a grace, then are handed back.

    Raises:
        NoDatabase: none is configured and no server of this home runs.
        DatabaseRefused: it cannot be used; the message says why.
        WorkerAddressTaken: the address at which the worker is to answer cannot be had.
    """
    with stopping_on_signals() as stopping:
        migrated = await _find_database(settings)
        from automatos.entrypoints.services import Services
        from automatos.entrypoints.worker_status import answering
        from automatos.kernel.telemetry import configure_logging

        configure_logging(settings, "worker")
        services = Services(settings, migrated.url, role=migrated.role, works=True)
        async with services.running(), answering(services, settings.worker_address):
            settle()
            place = migrated.url.rpartition("@")[2]
            print(f"Working on {place}, {settings.worker_concurrency} jobs at most. Ctrl-C stops.", flush=True)  # noqa: T201
            await stopping.asked.wait()
            if services.worker:
                await services.worker.stop(STEPS_GRACE_S)


async def _find_database(settings: Settings) -> Migrated:
    """Return the configured database, or the one that a server of the same home has started."""
    if settings.external_database_url:
        return await prepare(settings)
    note = read_note(settings.home)
    if note is None:
        raise NoDatabase(
            f"DATABASE_URL is not set, and no server of {settings.home} runs here. Set DATABASE_URL to the server's "
            "database, or start `automatos up` with the same AUTOMATOS_HOME first."
        )
    return Migrated(url=note.database_url, role=note.role)


def run(settings: Settings) -> None:
    """Work in this process until a signal."""
    import uvloop

    load()
    uvloop.run(work(settings))
