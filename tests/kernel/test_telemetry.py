"""Logs: one format, the request in each line, and no secret in any."""

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from automatos.kernel import logfiles, telemetry
from automatos.kernel.config import Settings
from automatos.kernel.logfiles import LogFile
from automatos.kernel.telemetry import HIDDEN, configure_logging, hide_secrets, scrub

PLANTED = "abcdEFGH1234567890"
LOGGING_CALLS = {"debug", "info", "warning", "error", "exception", "_write", "_time"}


@pytest.mark.parametrize("text", [
    f"key sk-{PLANTED} refused", f"sk-ant-api03-{PLANTED}", f"ak_srv_{PLANTED}", f"ak_pub_{PLANTED}",
    f"Authorization: Bearer {PLANTED}", f"authorization: basic {PLANTED}==", f"ApiKey {PLANTED}",
    f"postgresql://cook:{PLANTED}@db/kitchen", f"redis://:{PLANTED}@cache:6379/0", f"?api_key={PLANTED}&x=1",
    f'{{"password": "{PLANTED}"}}', f"password={PLANTED}", f"eyJhbGciOiJ.{PLANTED}.{PLANTED}", f"ghp_{PLANTED}",
    f"hf_{PLANTED}", f"gsk_{PLANTED}", f"xai-{PLANTED}",
])
def test_what_looks_like_a_secret_inside_text_is_hidden(text: str) -> None:
    shown = hide_secrets(text)
    assert PLANTED not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize("text", [
    "the task is done", "risk-management of 12 agents", "GET /api/agents/7 took 3 ms", "http://localhost:8000/api?x=1",
    "step_1 max_tokens=4096", "0199c0de-7c1e-7abc-8def-0123456789ab", "postgresql://db.example/kitchen",
])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert hide_secrets(text) == text


def test_secrets_are_found_by_name_and_depth() -> None:
    event = {
        "password": PLANTED, "api_key": PLANTED, "X-API-Key": PLANTED, "token": PLANTED,
        "headers": {"Authorization": PLANTED, "Cookie": PLANTED}, "list": [{"client_secret": PLANTED}],
        "error": ValueError(f"sk-{PLANTED}"), "bytes": f"Bearer {PLANTED}".encode(),
        "input_tokens": 12, "total_tokens": 7, "workspace_id": "w", "credential_id": "c", "none_token": None,
    }
    shown = scrub(event)
    assert PLANTED not in str(shown)
    assert (shown["input_tokens"], shown["total_tokens"], shown["workspace_id"]) == (12, 7, "w")
    assert shown["credential_id"] == "c"


@pytest.mark.parametrize("count", [
    {"tokens": 412}, {"total_tokens": 7}, {"reasoning_tokens": 0}, {"tokens": {"input": 3, "output": 4}},
    {"usage": {"cached_tokens": 9, "tokens": 12.5}},
])
def test_counts_of_tokens_are_readable(count: dict[str, object]) -> None:
    assert scrub(count) == count


@pytest.mark.parametrize("secret", [
    {"tokens": PLANTED}, {"tokens": [PLANTED]}, {"total_tokens": PLANTED}, {"token": 123456}, {"password": 123456},
    {"tokens": {"github": PLANTED}}, {"tokens": True},
])
def test_tokens_that_are_no_numbers_are_secrets(secret: dict[str, object]) -> None:
    assert set(scrub(secret).values()) == {HIDDEN}


def test_every_field_that_our_own_log_lines_name_can_be_read() -> None:
    """A field whose name looks like a secret's would be hidden; of those, only counts may be written."""
    fields = set()
    for file in (Path(__file__).parents[2] / "src/automatos").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in LOGGING_CALLS:
                fields |= {keyword.arg for keyword in call.keywords if keyword.arg}
    assert "total_tokens" in fields
    assert {name for name in fields if scrub({name: 1})[name] == HIDDEN} == set()


def test_bottomless_values_are_cut() -> None:
    bottomless: dict[str, object] = {}
    bottomless["again"] = bottomless
    assert "nested too deeply" in str(scrub(bottomless))


class Written:
    """Everything that went to standard error so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    yield Written(capsys)
    structlog.contextvars.clear_contextvars()


def test_json_lines_carry_what_is_bound_and_hide_what_is_secret(written: Written) -> None:
    configure_logging(Settings(log_format="json", log_level="info"))
    structlog.contextvars.bind_contextvars(request_id="r1", execution_id="e1")
    log = structlog.get_logger()
    log.info("model.called", workspace_id="w1", api_key=PLANTED, url=f"https://u:{PLANTED}@h")
    log.debug("not.wanted")
    logging.getLogger("some.library").warning("failed with Bearer %s", PLANTED)
    try:
        raise ValueError(f"sk-{PLANTED}")
    except ValueError:
        log.exception("it.broke", odd="\ud800", big=2**80)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert PLANTED not in written.getvalue()
    assert [line["event"] for line in lines[:2]] == ["model.called", f"failed with Bearer {HIDDEN}"]
    assert (lines[0]["request_id"], lines[0]["execution_id"], lines[0]["workspace_id"]) == ("r1", "e1", "w1")
    assert (lines[0]["level"], lines[1]["logger"], lines[1]["request_id"]) == ("info", "some.library", "r1")
    assert "ValueError" in lines[2]["exception"]
    assert lines[0]["timestamp"].endswith("Z")
    assert len(lines) == 3


def test_text_lines_are_for_people(written: Written) -> None:
    configure_logging(Settings(log_format="text"))
    structlog.get_logger().info("started", port=8000)
    try:
        raise ValueError(f"sk-{PLANTED}")
    except ValueError:
        structlog.get_logger().exception("it.broke")
    assert "started" in written.getvalue()
    assert "port=8000" in written.getvalue()
    assert "\x1b[" not in written.getvalue()
    assert PLANTED not in written.getvalue()


def test_configuring_again_leaves_one_handler_of_ours_and_all_others(written: Written) -> None:
    other = logging.NullHandler()
    root = logging.getLogger()
    root.addHandler(other)
    try:
        for _ in range(3):
            configure_logging(Settings(log_format="json"))
        logging.getLogger("once").warning("hello")
        assert len(written.getvalue().splitlines()) == 1
        assert other in root.handlers
    finally:
        root.removeHandler(other)


def test_the_servers_own_access_log_is_off(written: Written) -> None:
    configure_logging(Settings(log_format="json"))
    logging.getLogger("uvicorn.access").info("GET / 200")
    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "\x1b[32mStarted"})
    assert [json.loads(line)["event"] for line in written.getvalue().splitlines()] == ["Started"]
    assert "color_message" not in written.getvalue()


def test_a_person_sees_warnings_and_the_file_has_everything(written: Written, tmp_path: Path) -> None:
    configure_logging(Settings(home=tmp_path, log_format="auto", log_level="info"))
    structlog.get_logger().info("model.called", total_tokens=7, api_key=PLANTED)
    logging.getLogger("some.library").info("hello")
    logging.getLogger("some.library").warning("failed with Bearer %s", PLANTED)
    structlog.get_logger().error("it.broke", why="no room")

    told = written.getvalue()
    lines = [json.loads(line) for line in (tmp_path / "logs/server.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["model.called", "hello", f"failed with Bearer {HIDDEN}", "it.broke"]
    assert (lines[0]["total_tokens"], lines[0]["api_key"], lines[1]["logger"]) == (7, HIDDEN, "some.library")
    assert "it.broke" in told
    assert "no room" in told
    assert not {"model.called", "hello", PLANTED} & set(told.split())
    assert "{" not in told
    assert (tmp_path / "logs").stat().st_mode & 0o077 == (tmp_path / "logs/server.log").stat().st_mode & 0o077 == 0


def test_where_the_home_takes_no_files_the_lines_go_to_the_terminal(written: Written, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    configure_logging(Settings(home=tmp_path, log_format="auto"))
    structlog.get_logger().info("model.called")
    assert json.loads(written.getvalue())["event"] == "model.called"


def test_a_full_file_is_kept_under_a_number_and_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfiles, "MAX_BYTES", 100)
    file = LogFile(tmp_path / "server.log")
    for number in range(50):
        file.write_line(f"line {number:02} " + "x" * 20)
    file.close()

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["server.1.log", "server.2.log", "server.3.log", "server.log"]
    assert "line 49" in (tmp_path / "server.log").read_text() + (tmp_path / "server.1.log").read_text()
    assert all(path.stat().st_size <= 140 for path in tmp_path.iterdir())


def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "gone" / "server.log")
    file.write_line("lost")
    assert not (tmp_path / "gone").exists()


def test_the_names_of_fields_are_judged_once_and_no_name_of_any_length_fills_the_memory() -> None:
    telemetry._judge_name.cache_clear()
    for number in range(20):
        scrub({"agent": "Ada", "total_tokens": number, f"{number}" * 100 + "password": PLANTED})

    judged = telemetry._judge_name.cache_info()
    assert (judged.misses, judged.currsize, judged.maxsize) == (2, 2, 1000)
    assert scrub({"x" * 100 + "password": PLANTED}) == {"x" * 100 + "password": HIDDEN}
