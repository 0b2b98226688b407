"""Which delivery a process uses: the built-in one, or the one that AUTOMATOS_ENGINE names."""

from automatos.durable.bus import Bus
from automatos.durable.delivery import Delivery
from automatos.durable.errors import EngineRefused
from automatos.durable.leases import LeaseDelivery
from automatos.durable.worker_lease import WorkerLease
from automatos.kernel.config import TemporalAddress
from automatos.kernel.db import Database


async def open_delivery(
    temporal: TemporalAddress | None, database: Database, lease: WorkerLease, bus: Bus
) -> Delivery:
    """Return the delivery of this process; it takes nothing yet.

    Raises:
        EngineRefused: the Temporal server that is named cannot be used, or its package is not installed.
    """
    if temporal is None:
        return LeaseDelivery(database, lease, bus)
    try:
        from automatos.durable.temporal.adapter import TemporalDelivery, connect
    except ModuleNotFoundError as error:
        raise _without_package(error) from error
    return TemporalDelivery(database, lease, bus, await connect(temporal))


async def try_temporal(temporal: TemporalAddress) -> None:
    """Connect and leave again; raises EngineRefused as a start would."""
    try:
        from automatos.durable.temporal.adapter import connect
    except ModuleNotFoundError as error:
        raise _without_package(error) from error
    await connect(temporal)


def _without_package(error: ModuleNotFoundError) -> Exception:
    if error.name and error.name.partition(".")[0] == "temporalio":
        return EngineRefused(
            "AUTOMATOS_ENGINE names a Temporal server, and the package that speaks to it is not installed. Run pip "
            "install 'automatos[temporal]', or unset AUTOMATOS_ENGINE: the built-in engine needs no other server.")
    return error
