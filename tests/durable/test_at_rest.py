"""What processes cost PostgreSQL while nothing happens: each renews its lease, one of them looks for all."""

from collections import Counter
from uuid import UUID

import pytest

from automatos.durable import bus, dispatcher, leases, periodic, queries
from automatos.durable.periodic import PeriodicTask
from tests.durable.conftest import Processes, Seen, until

WORKERS = 6
EVERYBODYS = {"renew", "granted_since", "listens"}
THE_DISPATCHERS = {"changes", "changes_granted", "due_soon", "takers", "held_jobs", "recover", "take_periodic"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each statement of the queue was sent, by name and by `name executor`; pauses are a fiftieth."""
    for module, name in ((dispatcher, "LOOK_EVERY_S"), (dispatcher, "RECOUNT_EVERY_S"), (leases, "LOOK_EVERY_S"),
                         (leases, "COMPARE_EVERY_S"), (periodic, "ASK_EVERY_S"), (bus, "PROBE_EVERY_S")):
        monkeypatch.setattr(module, name, getattr(module, name) / 50)
    counted: Counter[str] = Counter()
    for name, function in list(vars(queries).items()):
        if callable(function) and getattr(function, "__module__", "") == queries.__name__:
            monkeypatch.setattr(queries, name, counting(counted, name))
    return counted


def counting(counted: Counter[str], name: str) -> object:
    real = getattr(queries, name)

    def count(*arguments: object, **named: object) -> object:
        counted[name] += 1
        counted.update(f"{name} {one}" for one in arguments if isinstance(one, UUID))
        return real(*arguments, **named)

    return count


async def sent_while_the_lease_is_renewed(processes: Processes, sent: Counter[str], times: int) -> Counter[str]:
    sent.clear()
    await until(lambda: sent["renew"] >= times * len(processes.alive))
    return sent.copy()


async def test_more_workers_at_rest_send_nothing_more_but_their_renewals_looks_and_probes(
    processes: Processes, sent: Counter[str]
) -> None:
    async def sweep() -> None:
        """There is always something to do now and then."""

    for _ in range(WORKERS):
        await processes.start(
            Seen().handlers(), lease_s=4.0, periodic=(PeriodicTask("sweep", 3600.0, sweep),))
    await until(lambda: all(process.bus.is_listening for process in processes.alive))
    await sent_while_the_lease_is_renewed(processes, sent, 2)
    leading = {process.lease.dispatcher_id for process in processes.alive}

    counted = await sent_while_the_lease_is_renewed(processes, sent, 4)

    assert len(leading) == 1
    leader = leading.pop()
    assert {name for name in counted if " " not in name} <= EVERYBODYS | THE_DISPATCHERS
    assert counted["recover"] < counted["renew"] / 2, "others look for the dead, too"
    # Whoever asked before anybody gave out jobs may own the task, and goes on asking for it.
    asking = {name for name in counted if name.startswith("take_periodic ")} - {f"take_periodic {leader}"}
    assert len(asking) <= 1, "others than the owner ask for periodic tasks, too"


async def test_a_worker_at_rest_sends_fewer_than_forty_statements_a_second_with_fifty_of_its_kind() -> None:
    """By the pauses between them: a renewal, a look, a comparison and a probe."""
    lease_s = 10.0
    each = 4 / lease_s + 1 / leases.LOOK_EVERY_S + 1 / leases.COMPARE_EVERY_S + 1 / bus.PROBE_EVERY_S
    of_one = 4 / lease_s + 1 / dispatcher.LOOK_EVERY_S + 1 / dispatcher.RECOUNT_EVERY_S

    assert 50 * each + of_one <= 40
