"""The account, keys, members, audit log and limits from the command line, by somebody who signed in with a password."""

import json
import re
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.harness import stage
from tests.chaos.processes import Server, environment
from tests.cli.conftest import Quick

OWNER = {"email": "ada@example.org", "name": "Ada", "password": "correct horse"}


def post(server: Server, path: str, body: dict[str, str]) -> str:
    """Send what a browser sends and return the session's cookie."""
    request = urllib.request.Request(
        f"{server.url}{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json", "X-Requested-With": "automatos", "User-Agent": "Phone"})
    with urllib.request.urlopen(request) as answer:
        found = re.search("automatos_session=([^;]+)", answer.headers["Set-Cookie"])
        assert found
        return found[1]


@pytest.fixture(scope="module")
async def own_server() -> AsyncIterator[Server]:
    async with stage() as scene:
        yield await scene.start_server(variables={"AUTOMATOS_DEMO_DELAY_MS": "2"})


@pytest.fixture(scope="module")
def first(own_server: Server) -> str:
    return post(own_server, "/api/setup", OWNER)


@pytest.fixture
def ada(own_server: Server, first: str, tmp_path: Path) -> Quick:
    """Ada at a terminal of her own, with a session as `auth login` keeps it."""
    session = post(own_server, "/api/auth/sign-in", {name: OWNER[name] for name in ("email", "password")})
    (tmp_path / "cli.json").write_text(json.dumps({"url": own_server.url, "session": session}), encoding="utf-8")
    return Quick(environment(tmp_path))


def test_a_person_lists_their_sessions_and_ends_one(ada: Quick) -> None:
    page = ada.json("account", "sessions")
    other = next(each for each in page["items"] if not each["is_current"])

    ended = ada("account", "end", other["id"])
    again = ada("account", "end", other["id"])

    assert (ended.returncode, again.returncode) == (0, 1)
    assert "no such session" in again.stderr
    assert other["id"] not in {each["id"] for each in ada.json("account", "sessions")["items"]}
    assert "here" in ada("account", "sessions").stdout


def test_a_password_is_changed_and_the_terminal_stays_signed_in(ada: Quick) -> None:
    other = ada.json("account", "sessions")["total"]
    wrong = ada("account", "password", "--stdin", stdin="wrong horse\nbattery staple\n")
    short = ada("account", "password", "--stdin", stdin="correct horse\n")
    assert (wrong.returncode, short.returncode) == (1, 2), wrong.stderr
    assert other >= 1

    changed = ada("account", "password", "--stdin", stdin="correct horse\nbattery staple\n")

    assert changed.returncode == 0, changed.stderr
    assert ada.json("account", "sessions")["total"] == 1
    back = ada("account", "password", "--stdin", stdin="battery staple\ncorrect horse\n")
    assert back.returncode == 0, back.stderr


def test_signing_out_everywhere_asks_first_and_forgets_what_was_kept(ada: Quick, own_server: Server) -> None:
    assert ada("account", "sign-out-everywhere", "--no-input").returncode == 2

    done = ada("account", "sign-out-everywhere", "--yes")

    assert done.returncode == 0, done.stderr
    assert "automatos auth login" in done.stderr
    assert ada("auth", "status", AUTOMATOS_URL=own_server.url).returncode == 4


def test_a_key_says_whose_it_is_and_the_log_who_made_it(ada: Quick) -> None:
    mine = ada.json("api-key", "create", "night\u200bly", "--for-workspace")
    assert (mine["belongs_to"], mine["made_by"], mine["state"]) == ("workspace", OWNER["email"], "works")
    listed = ada("api-key", "list").stdout
    assert "workspace" in listed
    assert "works" in listed

    user = ada.json("auth", "status")["user_id"]
    page = ada.json("audit", "list", "--action", "api_key", "--user", str(user), "--carrier", "cookie")
    assert page["items"][0]["detail"]["name"] == "night[U+200B]ly"
    table = ada("audit", "list", "--action", "api_key").stdout
    assert f"“{OWNER['email']}”" in table
    assert f"account {user}" in table
    assert ada.json("audit", "list", "--key", mine["id"])["items"] == []
    assert ada.json("audit", "list", "--from", "10.0.0.1")["items"] == []


def test_a_workspace_shows_what_its_plan_allows(ada: Quick) -> None:
    shown = ada("workspace", "show").stdout

    assert re.search(r"agents +\d+$", shown, re.MULTILINE), "the first workspace has no limits"
    assert ada.json("workspace", "show")["plan_limits"] == {"max_agents": -1, "max_workflows": -1, "max_members": -1}


def test_readmitting_somebody_who_was_not_put_out_is_refused(ada: Quick) -> None:
    refused = ada("workspace", "readmit", "999")

    assert refused.returncode == 1
    assert "nobody was put out" in refused.stderr
