"""What each endpoint did since this process started: calls, times, errors; bounded, by route template.

An error is an answer of 500 and above: what a client does wrong (4xx) says nothing about this server, and is counted
apart. A stream is timed until it begins, because it lasts as long as somebody watches.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from prometheus_client import Histogram
from prometheus_client.registry import CollectorRegistry

MAX_ENDPOINTS = 500
RECENT_CALLS = 100
TOP_ENDPOINTS = 20
COUNTED_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
SLOW_MS, VERY_SLOW_MS = 500.0, 1000.0
DURATION_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The boundaries that OpenTelemetry advises for HTTP request durations."""
MANY_ERRORS_PERCENT, MOST_ERRORS_PERCENT = 5.0, 10.0

Health = Literal["healthy", "degraded", "unhealthy"]
RANK: dict[Health, int] = {"healthy": 0, "degraded": 1, "unhealthy": 2}


@dataclass(slots=True)
class EndpointStats:
    """One endpoint's calls; times are milliseconds, an error is a status of 500 or above."""

    call_count: int = 0
    total_time: float = 0.0
    min_time: float = float("inf")
    max_time: float = 0.0
    error_count: int = 0
    client_error_count: int = 0
    last_called_s: float = 0.0
    recent_times: deque[float] = field(default_factory=lambda: deque[float](maxlen=RECENT_CALLS))
    status_codes: Counter[int] = field(default_factory=Counter[int])

    @property
    def avg_time(self) -> float:
        """The mean of all calls, in milliseconds."""
        return self.total_time / self.call_count if self.call_count else 0.0

    @property
    def error_rate(self) -> float:
        """The share of calls that were errors, in percent."""
        return 100.0 * self.error_count / self.call_count if self.call_count else 0.0

    @property
    def health(self) -> Health:
        """How the endpoint does by its error rate and mean time."""
        return _worse(_health_of_rate(self.error_rate), _health_of_time(self.avg_time))


def _health_of_rate(percent: float) -> Health:
    if percent > MOST_ERRORS_PERCENT:
        return "unhealthy"
    return "degraded" if percent > MANY_ERRORS_PERCENT else "healthy"


def _health_of_time(time_ms: float) -> Health:
    if time_ms > VERY_SLOW_MS:
        return "unhealthy"
    return "degraded" if time_ms > SLOW_MS else "healthy"


def _worse(one: Health, other: Health) -> Health:
    return one if RANK[one] > RANK[other] else other


class Statistics:
    """The endpoints of this process, at most 500 of them; later ones are not counted.

    `registry` holds the same calls for Prometheus, under the names of OpenTelemetry's HTTP conventions.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.endpoints: dict[str, EndpointStats] = {}
        self.registry = registry or CollectorRegistry()
        self._durations = Histogram(
            "http_server_request_duration_seconds", "Duration of HTTP requests; of streams, until they begin.",
            ("http_request_method", "http_route", "http_response_status_code"), registry=self.registry,
            buckets=DURATION_BUCKETS_S,
        )
        self._duration_of: dict[tuple[str, str, int], Histogram] = {}

    def record(self, method: str, template: str, status: int, time_ms: float, called_s: float) -> None:
        """Count one call of `METHOD template` that ended at `called_s` (Unix seconds)."""
        name = f"{method} {template}"
        stats = self.endpoints.get(name)
        if stats is None:
            if len(self.endpoints) >= MAX_ENDPOINTS or method not in COUNTED_METHODS:
                return
            stats = self.endpoints[name] = EndpointStats()
        stats.call_count += 1
        stats.total_time += time_ms
        stats.min_time = min(stats.min_time, time_ms)
        stats.max_time = max(stats.max_time, time_ms)
        stats.recent_times.append(time_ms)
        stats.status_codes[status] += 1
        stats.error_count += status >= 500
        stats.client_error_count += 400 <= status < 500
        stats.last_called_s = called_s
        self._duration(method, template, status).observe(time_ms / 1000)

    def _duration(self, method: str, template: str, status: int) -> Histogram:
        """Return the histogram of these labels, without the cost of looking them up at each call."""
        labels = (method, template, status)
        found = self._duration_of.get(labels)
        if found is None:
            found = self._duration_of[labels] = self._durations.labels(method, template, str(status))
        return found

    def report(self) -> dict[str, Any]:
        """Describe the busiest endpoints and sum up all of them."""
        ranked = sorted(self.endpoints.items(), key=lambda entry: entry[1].call_count, reverse=True)
        calls = sum(stats.call_count for _, stats in ranked)
        errors = sum(stats.error_count for _, stats in ranked)
        rate = 100.0 * errors / calls if calls else 0.0
        by_health = Counter(stats.health for _, stats in ranked)
        return {
            "overall_health": _health_of_rate(rate),
            "summary": {
                "total_endpoints": len(ranked), "total_calls": calls, "total_errors": errors,
                "total_client_errors": sum(stats.client_error_count for _, stats in ranked),
                "overall_error_rate": round(rate, 2), "healthy_endpoints": by_health["healthy"],
                "degraded_endpoints": by_health["degraded"], "unhealthy_endpoints": by_health["unhealthy"],
            },
            "endpoints": [_describe(name, stats) for name, stats in ranked[:TOP_ENDPOINTS]],
        }


def _describe(name: str, stats: EndpointStats) -> dict[str, Any]:
    return {
        "endpoint": name, "health": stats.health, "call_count": stats.call_count,
        "total_time": round(stats.total_time, 3), "avg_response_time": round(stats.avg_time, 3),
        "min_response_time": round(stats.min_time, 3), "max_response_time": round(stats.max_time, 3),
        "recent_times": [round(time_ms, 3) for time_ms in stats.recent_times],
        "error_count": stats.error_count, "error_rate": round(stats.error_rate, 2),
        "client_error_count": stats.client_error_count,
        "last_called": datetime.fromtimestamp(stats.last_called_s, UTC),
        "status_codes": {str(status): count for status, count in sorted(stats.status_codes.items())},
    }
