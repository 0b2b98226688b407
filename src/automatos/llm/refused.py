"""What models are known not to take: remembered for an hour in each process, by credential and model."""

import time
from collections import OrderedDict
from collections.abc import Callable

KEPT_S = 3600.0
MAX_MODELS = 1000
MAX_FEATURES = 40
"""More than this of one model are no features any more but a server that refuses whatever it is sent."""


class RefusedFeatures:
    """The features that were refused lately; what is oldest is forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[frozenset[str], float]] = OrderedDict()

    def of(self, account: str, model_id: str) -> frozenset[str]:
        """Return what a model does not take for an account: the credential's id, or an address where there is none."""
        found = self._known.get((account, model_id))
        if found is None:
            return frozenset()
        if found[1] <= self._clock():
            del self._known[account, model_id]
            return frozenset()
        return found[0]

    def add(self, account: str, model_id: str, features: frozenset[str]) -> frozenset[str]:
        """Remember more of a model, and return all that is known of it."""
        known = self.of(account, model_id) | features
        self._known[account, model_id] = known, self._clock() + KEPT_S
        self._known.move_to_end((account, model_id))
        while len(self._known) > MAX_MODELS:
            self._known.popitem(last=False)
        return known
