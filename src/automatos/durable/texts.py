"""Text while it is being written: readers get it as it grows, and nothing of it is stored but the fact that ends it.

The process that writes a text keeps it whole, so that a reader who comes in the middle gets what there is. A process
with readers asks the others for the texts of their streams; whoever writes one sends it what is new, ten times a second
at most and for all texts together. What was not heard leaves a hole, and over a hole the whole is asked for again.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextvars import Context
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automatos.durable.types import LiveText, StreamPlace, Subscription, TextOf
from automatos.durable.worker_lease import WorkerLease
from automatos.kernel.ids import new_id

TELL_EVERY_S = 0.1
CHARS_A_WORD = 600
"""Written as ASCII they are within what one notice holds, whatever they are."""
CHARS_A_TIME = 30_000
"""What is sent to other processes at a time, of all texts together; more waits, and comes with the fact at last."""
WANTED_S = 60.0
"""For how long a process that has asked for texts of a stream is sent them; it asks again every 20 s."""
MAX_WANTED = 10_000
ASK_AGAIN_S = 1.0
WORD_TEXT = "text"
WORD_WANTED = "wanted"


@dataclass(frozen=True)
class Carrier:
    """How texts travel: to the readers of this process, to all other processes, to one of them, to Redis."""

    readers_of: Callable[[StreamPlace], Collection[Subscription]]
    tell_others: Callable[[str], None]
    send_to: Callable[[UUID, str], None]
    show: Callable[[LiveText, tuple[int, int]], None]


class LiveTexts:
    """The texts that are written or read in this process."""

    def __init__(self, lease: WorkerLease, carrier: Carrier) -> None:
        self._lease = lease
        self._carrier = carrier
        self._texts: dict[StreamPlace, dict[str, LiveText]] = defaultdict(dict)
        self._fresh: dict[LiveText, None] = {}
        self._wanted: dict[StreamPlace, dict[UUID, float]] = {}
        self._reading: set[StreamPlace] = set()
        self._asked: dict[StreamPlace, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """How many texts are kept."""
        return sum(map(len, self._texts.values()))

    def begin(self, place: StreamPlace, of: TextOf, after: int) -> LiveText:
        """Begin a text that follows the fact `after` of its stream."""
        text = LiveText(place, of, after, id=new_id().hex, is_own=True)
        self._texts[place][of.about] = text
        return text

    def add(self, text: LiveText, more: str, *, is_reasoning: bool = False) -> None:
        """Let a text grow; readers get it within a tenth of a second."""
        text.take(more, is_reasoning=is_reasoning)
        self._tell_soon(text)

    def end(self, text: LiveText, until: int | None, *, is_whole: bool = False) -> None:
        """Forget a text, just before the fact with the number `until` is published; without one it was given up.

        Of one that is whole, those who have seen its beginning get the rest; a short one comes with its fact only.
        """
        text.until = until
        self._forget(text)
        if not text.is_told:
            self._fresh.pop(text, None)
            return
        if is_whole:
            self._tell_here(text)
        self._tell_soon(text)

    def meet(self, place: StreamPlace, reader: Subscription) -> None:
        """Give a new reader the texts of a stream as far as they have come, and ask other processes for theirs."""
        for text in self._texts.get(place, {}).values():
            if text.is_told:
                reader.tell(text, is_late=True)
        is_first = place not in self._reading
        self._reading.add(place)
        self.want(place, is_first=is_first)

    def want(self, place: StreamPlace, *, is_first: bool = False) -> None:
        """Ask other processes for texts of a stream; at first for all there is, later to go on."""
        self._carrier.tell_others(f"{WORD_WANTED} {self._lease.id} {place[0]} {place[1]} {int(is_first)}")

    def want_all(self) -> None:
        """Ask for everything that is read here: words may have been lost, or somebody listens who did not before."""
        for place in self._reading:
            self.want(place, is_first=True)

    def leave(self, place: StreamPlace) -> None:
        """Forget what came from elsewhere on a stream that nobody reads here any more."""
        self._reading.discard(place)
        self._asked.pop(place, None)
        for text in list(self._texts.get(place, {}).values()):
            if not text.is_own:
                self._forget(text)

    def on_wanted(self, rest: str) -> None:
        """Note that a process reads a stream, and send it what there is if it has nothing yet."""
        process, workspace, topic, is_first = rest.split(" ")
        place, asker = (UUID(workspace), topic), UUID(process)
        self._wanted[place] = self._wanted.pop(place, {}) | {asker: asyncio.get_running_loop().time() + WANTED_S}
        self._drop_unwanted()
        if is_first == "1":
            for text in self._texts.get(place, {}).values():
                if text.is_own and text.is_told:
                    for word in _words(text, (0, 0), text.sent, is_start=False):
                        self._carrier.send_to(asker, word)

    def on_text(self, rest: str) -> None:
        """Take what another process has written on a stream that is read here."""
        told: dict[str, Any] = json.loads(rest)
        place = (UUID(told["w"]), told["s"])
        readers = self._carrier.readers_of(place)
        if not readers:
            return
        text = self._texts[place].get(told["k"])
        if text and text.is_own:
            return
        if "e" in told:
            if text and text.id == told["i"]:
                text.until = told["e"]
                self._forget(text)
            return
        if text is None or text.id != told["i"]:
            text = LiveText(place, TextOf(told["k"], *told["y"]), told["a"], id=told["i"], is_told=True,
                            is_from_start=told["b"])
            if told["f"] == [0, 0]:
                self._texts[place][told["k"]] = text
        if not text.join(tuple(told["f"]), told["t"], told["r"]):
            self._ask_again(place)
            return
        for reader in readers:
            reader.tell(text, is_late=not text.is_from_start)

    def _drop_unwanted(self) -> None:
        """Forget streams that nobody has asked for lately; those asked for last are at the end."""
        while oldest := next(iter(self._wanted), None):
            if self._askers(oldest) and len(self._wanted) <= MAX_WANTED:
                return
            del self._wanted[oldest]

    def _ask_again(self, place: StreamPlace) -> None:
        moment = asyncio.get_running_loop().time()
        if moment - self._asked.get(place, -ASK_AGAIN_S) >= ASK_AGAIN_S:
            self._asked[place] = moment
            self.want(place, is_first=True)

    def _forget(self, text: LiveText) -> None:
        texts = self._texts.get(text.place, {})
        if texts.get(text.of.about) is text:
            del texts[text.of.about]
        if not texts:
            self._texts.pop(text.place, None)

    def _tell_soon(self, text: LiveText) -> None:
        self._fresh[text] = None
        if self._timer is None:
            # Of no job: it tells the texts of all, and would hold the context of the one that began it.
            self._timer = asyncio.get_running_loop().call_later(TELL_EVERY_S, self._tell, context=Context())

    def _tell(self) -> None:
        self._timer = None
        fresh, self._fresh = self._fresh, {}
        left = CHARS_A_TIME
        for text in fresh:
            if text.until is None and self._texts.get(text.place, {}).get(text.of.about) is text:
                self._tell_here(text)
            left -= self._send(text, left)

    def _tell_here(self, text: LiveText) -> None:
        before = text.size
        if not text.gather():
            return
        text.is_told = True
        for reader in self._carrier.readers_of(text.place):
            reader.tell(text, is_late=False)
        self._carrier.show(text, before)

    def _send(self, text: LiveText, left: int) -> int:
        """Send what is new of a text to the processes that want it, at most so much; returns how much it was."""
        is_over = self._texts.get(text.place, {}).get(text.of.about) is not text
        askers = self._askers(text.place)
        if not askers:
            text.sent = text.size
            return 0
        if is_over:
            end = _word(text, e=text.until)
            for asker in askers:
                self._carrier.send_to(asker, end)
            return 0
        first, text.sent = text.sent, text.reach(text.sent, max(left, 0))
        for word in _words(text, first, text.sent, is_start=True):
            for asker in askers:
                self._carrier.send_to(asker, word)
        if text.sent != text.size:
            self._tell_soon(text)
        return sum(text.sent) - sum(first)

    def _askers(self, place: StreamPlace) -> list[UUID]:
        moment = asyncio.get_running_loop().time()
        return [asker for asker, until in self._wanted.get(place, {}).items() if until > moment]


def _words(text: LiveText, first: tuple[int, int], last: tuple[int, int], *, is_start: bool) -> Iterator[str]:
    """Write a part of a text as words, the reasoning first; `is_start` says that the first of them is its beginning."""
    said, thought = first
    while thought < last[1]:
        more = text.reasoning[thought:min(thought + CHARS_A_WORD, last[1])]
        yield _part(text, (said, thought), "", more, is_start=is_start)
        thought += len(more)
    while said < last[0]:
        more = text.text[said:min(said + CHARS_A_WORD, last[0])]
        yield _part(text, (said, thought), more, "", is_start=is_start)
        said += len(more)


def _part(text: LiveText, at: tuple[int, int], more: str, thought: str, *, is_start: bool) -> str:
    return _word(text, y=[text.of.piece, text.of.whole], a=text.after, f=at, t=more, r=thought, b=is_start)


def _word(text: LiveText, **told: Any) -> str:
    workspace_id, topic = text.place
    held = {"w": str(workspace_id), "s": topic, "k": text.of.about, "i": text.id} | told
    return f"{WORD_TEXT} {json.dumps(held, separators=(',', ':'))}"
