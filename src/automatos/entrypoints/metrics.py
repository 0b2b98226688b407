"""What a process says of itself to Prometheus: its connections, its places for jobs, and what waits in the queue."""

from collections.abc import Callable, Iterator

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from automatos.durable.service import Worker
from automatos.kernel.db import Database


class ProcessFigures(Collector):
    """Gauges that are read when somebody asks: connections, places for jobs, and what waits in the queue."""

    def __init__(self, database: Database, places: int, worker: Callable[[], Worker | None]) -> None:
        self._database = database
        self._places = places
        self._worker = worker

    def describe(self) -> list[Metric]:
        """Name nothing ahead, so that registering asks for nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give each figure as it is now."""
        yield from self._connections()
        if worker := self._worker():
            yield from self._jobs(worker)

    def _connections(self) -> Iterator[Metric]:
        count = GaugeMetricFamily(
            "db_client_connection_count", "Connections to PostgreSQL.",
            labels=("db_client_connection_pool_name", "db_client_connection_state"))
        waiting = GaugeMetricFamily(
            "db_client_connection_pending_requests", "Callers that wait for a connection.",
            labels=("db_client_connection_pool_name",))
        for name, (used, idle, pending) in self._database.pools.items():
            count.add_metric((name, "used"), used)
            count.add_metric((name, "idle"), idle)
            waiting.add_metric((name,), pending)
        yield count
        yield waiting

    def _jobs(self, worker: Worker) -> Iterator[Metric]:
        yield GaugeMetricFamily("automatos_jobs_running", "Jobs that this process works on.", worker.running)
        yield GaugeMetricFamily("automatos_job_places", "Jobs that this process works on at most.", self._places)
        backlog = worker.backlog
        yield GaugeMetricFamily(
            "automatos_dispatcher", "1 in the one process that gives out jobs, 0 in others.", int(backlog is not None))
        if backlog:
            yield GaugeMetricFamily("automatos_jobs_waiting", "Jobs that wait for a worker.", backlog.jobs)
            yield GaugeMetricFamily(
                "automatos_jobs_waiting_oldest_seconds", "How long the oldest of them has waited.", backlog.oldest_s)


def render(registry: CollectorRegistry) -> bytes:
    """Return the figures of this process in Prometheus's text format."""
    return generate_latest(REGISTRY) + generate_latest(registry)
