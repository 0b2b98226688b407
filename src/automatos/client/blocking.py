"""The client whose calls block."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx2

from automatos.client.answers import answer_of, pause_before, problem_of
from automatos.client.errors import ClientError, Unreachable
from automatos.client.following import PATIENCE_S, Following
from automatos.client.frames import Frame, FrameReader
from automatos.client.requests import (
    STREAM_SILENCE_S,
    TIMEOUT_S,
    Call,
    next_page,
    part,
    place_of,
    start_of_agent,
    start_of_fork,
    start_of_recipe,
)
from automatos.client.types import Answer, Run, RunEvent, Started


class Client:
    """One caller's access to one server.

    Without a URL, AUTOMATOS_URL and AUTOMATOS_API_KEY say which server and who asks. Calls raise `Unreachable` when
    nobody answers and `ApiProblem` when the answer is no. What may be sent twice (every GET, and starts, which carry an
    Idempotency-Key) is sent up to `retries` times more when the server is away, busy or asks to wait.
    """

    def __init__(
        self, url: str | None = None, *, api_key: str | None = None, token: str | None = None,
        workspace_id: str | None = None, headers: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S,
        retries: int = 2, transport: httpx2.BaseTransport | None = None,
    ) -> None:
        place = place_of(url, api_key, token, workspace_id, headers)
        self.url = place.url
        self._retries = retries
        self._http = httpx2.Client(**place.options(), timeout=timeout_s, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call) -> Answer:
        """Send a request and return the whole answer."""
        attempt = 0
        while True:
            try:
                return answer_of(self._http.request(**call.parts()))
            except (httpx2.TransportError, ClientError) as failure:
                pause = pause_before(attempt, call, failure) if attempt < self._retries else None
                if pause is None and isinstance(failure, ClientError):
                    raise
                if pause is None:
                    raise Unreachable(self.url, str(failure) or type(failure).__name__) from failure
            time.sleep(pause)
            attempt += 1

    def get(self, path: str, **query: Any) -> Any:
        """Read something; what is None is left out of the query."""
        return self.send(Call(method="GET", path=path, query=query)).body

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Send something."""
        return self.send(Call(method="POST", path=path, body=body, query=query)).body

    def put(self, path: str, body: Any, *, etag: str | None = None) -> Any:
        """Save something; with the `etag` of what was read, only if nobody else saved since."""
        headers = {"If-Match": etag} if etag else {}
        return self.send(Call(method="PUT", path=path, body=body, headers=headers)).body

    def patch(self, path: str, body: Any) -> Any:
        """Change a part of something."""
        return self.send(Call(method="PATCH", path=path, body=body)).body

    def delete(self, path: str, **query: Any) -> Any:
        """Remove something."""
        return self.send(Call(method="DELETE", path=path, query=query)).body

    def items(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield everything of a list, page after page; `limit` is how much is asked for at once."""
        following: dict[str, Any] | None = query
        while following is not None:
            page = self.get(path, **following)
            yield from page["items"]
            following = next_page(following, page)

    def list_agents(self, **query: Any) -> Iterator[Any]:
        """Yield the workspace's agents."""
        return self.items("/api/agents", **query)

    def list_recipes(self, **query: Any) -> Iterator[Any]:
        """Yield the workspace's recipes."""
        return self.items("/api/workflow-recipes", **query)

    def list_runs(self, **query: Any) -> Iterator[Run]:
        """Yield the workspace's runs, newest first."""
        return map(Run.of, self.items("/api/runs", **query))

    def get_run(self, run_id: str) -> Run:
        """Return a run as it stands, with its outputs once it is over."""
        return Run.of(self.get(f"/api/runs/{part(run_id)}"))

    def start_recipe(
        self, template_id: str, inputs: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Started:
        """Start a recipe; repeated with the same key it starts nothing twice."""
        return Started.of(self.send(start_of_recipe(template_id, inputs, idempotency_key)).body)

    def run_agent(self, agent_id: int, prompt: str, *, idempotency_key: str | None = None, **options: Any) -> Started:
        """Give an agent a task of its own; repeated with the same key it starts nothing twice."""
        return Started.of(self.send(start_of_agent(agent_id, prompt, options, idempotency_key)).body)

    def fork_run(
        self, run_id: str, from_step: str, inputs: Mapping[str, Any] | None = None, *,
        idempotency_key: str | None = None,
    ) -> Started:
        """Begin a run that is over again at a step; `inputs` are those that are to be others."""
        return Started.of(self.send(start_of_fork(run_id, from_step, inputs, idempotency_key)).body)

    def pause_run(self, run_id: str) -> None:
        """Pause a run: what is at work is finished, nothing begins; a second call changes nothing."""
        self.post(f"/api/runs/{part(run_id)}/pause")

    def resume_run(self, run_id: str) -> None:
        """Let a run that somebody paused go on."""
        self.post(f"/api/runs/{part(run_id)}/resume")

    def send_signal(self, run_id: str, name: str, data: Any = None) -> None:
        """Send a run a signal that steps of it wait for, once; `data` is any JSON, their output."""
        self.post(f"/api/runs/{part(run_id)}/signals/{part(name)}", {"data": data})

    def cancel_run(self, run_id: str) -> None:
        """Ask a run to end; a second call changes nothing."""
        self.post(f"/api/runs/{part(run_id)}/cancel")

    def follow(self, run_id: str, *, after: int = 0, patience_s: float = PATIENCE_S) -> Generator[RunEvent]:
        """Yield a run's events after `after` until it is over; a lost connection is taken up after the last fact.

        Raises `Unreachable` when nobody answers for `patience_s`.
        """
        following = Following(run_id, after, patience_s)
        while True:
            failure: ClientError | None = None
            try:
                for frame in self.stream(following.call(), on_open=following.answered):
                    if (event := following.take(frame)) is not None:
                        yield event
                if self._has_seen_all(following):
                    return
            except ClientError as lost:
                failure = lost
            time.sleep(following.pause_after(failure))

    def stream(
        self, call: Call, *, on_open: Callable[[], None] = lambda: None, silence_s: float = STREAM_SILENCE_S
    ) -> Generator[Frame]:
        """Yield the server-sent events of one answer as they come; `on_open` is called once it has begun."""
        reader = FrameReader()
        try:
            with self._http.stream(**call.parts(), timeout=httpx2.Timeout(TIMEOUT_S, read=silence_s)) as response:
                if response.status_code >= 400:
                    response.read()
                    raise problem_of(response)
                on_open()
                for piece in response.iter_bytes():
                    yield from reader.take(piece)
        except httpx2.TransportError as lost:
            raise Unreachable(self.url, str(lost) or type(lost).__name__) from lost

    def _has_seen_all(self, following: Following) -> bool:
        """Whether a stream that ended well was the whole of its run, and not cut by somebody on the way."""
        run = self.get_run(following.run_id)
        return run.is_over and run.raw["last_seq"] <= following.seen

    def wait(self, run_id: str) -> Run:
        """Wait until a run is over and return it."""
        for _ in self.follow(run_id):
            pass
        return self.get_run(run_id)
