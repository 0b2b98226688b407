"""What people type for a thing, and what they are told in the terminal's own words."""

import asyncio
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.chaos.client import OWNER, set_up
from tests.chaos.harness import stage
from tests.chaos.processes import AUTOMATOS, environment
from tests.cli.conftest import EXAMPLES, Cli, Quick
from tests.cli.test_terminal import at_terminal


@pytest.fixture
def run_id(quick: Quick) -> str:
    """The newest run, finished."""
    quick("recipe", "apply", EXAMPLES / "research-digest.yaml")
    assert quick("recipe", "cook", "research-digest", "--quiet").returncode == 0
    return quick.json("run", "list")["items"][0]["id"]


def test_a_run_is_named_by_its_end_its_beginning_and_by_latest(quick: Quick, run_id: str) -> None:
    for name in (run_id, run_id.upper(), run_id[-8:], run_id[:-1], "latest"):
        assert quick.json("run", "view", name)["id"] == run_id
    assert quick("run", "watch", run_id[-8:]).returncode == 0
    assert quick("run", "cancel", "latest").returncode in {0, 1}


@pytest.mark.parametrize(("name", "said"), [
    ("nope", "there is no run 'nope'"), ("ffff0000", "automatos run list"), ("", "there is no run ''"),
    ("01a22'; DROP", "there is no run"), ("0", "runs begin or end with '0'"),
])
def test_a_run_that_is_none_or_several_is_said_so_in_words(quick: Quick, run_id: str, name: str, said: str) -> None:
    assert quick("recipe", "cook", "research-digest", "--quiet").returncode == 0
    del run_id

    done = quick("run", "view", name)

    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "UUID" not in done.stderr


def test_what_fits_several_runs_is_refused_with_each_of_them(quick: Quick, run_id: str) -> None:
    assert quick("recipe", "cook", "research-digest", "--quiet").returncode == 0
    newest = quick.json("run", "list", "--limit", "2")["items"]

    done = quick("run", "cancel", run_id[:4])

    assert (done.returncode, done.stdout) == (1, "")
    for run in newest:
        assert f"use its id: {run['id']} (Research digest, completed)" in done.stderr


def written(template_id: str, step: str) -> str:
    return (f"apiVersion: automatos/v1\nkind: Recipe\nagents: [{{name: Cleaner, prompt: Clean.}}]\n"
            f"recipe:\n  template_id: {template_id}\n  name: {template_id}\n  steps:\n    - {{step_id: s, {step}}}\n")


def test_lists_and_latest_leave_out_what_is_part_of_another_run_which_its_own_names_still_find(
    quick: Quick, tmp_path: Path
) -> None:
    for name, step in (("sweep", "agent: Cleaner, prompt_template: Sweep."), ("clean", "run: {recipe: sweep}")):
        (tmp_path / f"{name}.yaml").write_text(written(name, step))
        assert quick("recipe", "apply", tmp_path / f"{name}.yaml").returncode == 0
    assert quick("recipe", "cook", "clean", "--quiet").returncode == 0

    whole = quick.json("run", "list")["items"][0]
    part = next(run for run in quick.json("run", "list", "--all")["items"] if run["parent"])

    assert whole["recipe_id"] == "clean"
    assert part["parent"] == {"run_id": whole["id"], "path": "s", "recipe_id": "clean", "recipe_name": "clean"}
    assert all(run["parent"] is None for run in quick.json("run", "list", "--limit", "200")["items"])
    assert quick.json("run", "list", "--recipe", "sweep")["items"][0]["id"] == part["id"]
    assert f"sweep, part of clean run {whole['id']}" in quick("run", "list", "--all").stdout
    assert quick.json("run", "view", "latest")["id"] == whole["id"]
    assert quick.json("run", "view", part["id"][-8:])["id"] == part["id"]
    assert f"part of clean run {whole['id']}, started by its step s" in quick("run", "view", part["id"]).stdout


def test_a_table_for_people_shows_runs_by_what_names_them_and_one_for_programs_whole(
    signed_in: Cli, quick: Quick, run_id: str
) -> None:
    _, seen = at_terminal(signed_in, "agent", "runs", "Digest Writer", COLUMNS="60", NO_COLOR="1")

    short = seen.decode().splitlines()[1].split()[0]
    assert run_id.endswith(short)
    assert quick("run", "view", short).returncode == 0
    assert quick("agent", "runs", "Digest Writer").stdout.startswith(f"{run_id}\t")


@pytest.mark.parametrize("command", [
    ("recipe", "get", "No such"), ("recipe", "cook", "no-such"), ("credential", "get", "No such"),
    ("run", "view", "01a22000-0000-7000-8000-000000000000"), ("api-key", "revoke", "nobody", "--yes"),
])
def test_errors_name_commands_and_no_requests(quick: Quick, command: tuple[str, ...]) -> None:
    done = quick(*command)

    assert (done.returncode, done.stdout) == (1, "")
    assert "GET " not in done.stderr
    assert "/api/" not in done.stderr
    assert f"automatos {command[0]} list" in done.stderr or "did you mean" in done.stderr


def test_a_recipe_is_found_by_its_name_and_deleted_only_when_agreed(quick: Quick) -> None:
    quick("recipe", "apply", EXAMPLES / "ticket-triage.yaml")
    found = quick.json("recipe", "get", "ticket-triage")

    assert quick.json("recipe", "get", found["name"].upper())["template_id"] == "ticket-triage"
    assert quick("recipe", "delete", "ticket-triage").returncode == 2
    assert quick.json("recipe", "delete", "ticket-triage", "--yes")["deleted"]
    assert quick("recipe", "get", "ticket-triage").returncode == 1


def test_a_run_is_cooked_once_more_with_its_inputs(quick: Quick, run_id: str) -> None:
    before = quick.json("run", "view", run_id)

    started = quick.json("run", "retry", run_id[-8:])

    again = quick.json("run", "view", started["recipe_execution_id"])
    assert again["id"] != run_id
    assert (again["recipe_id"], again["input_data"]) == (before["recipe_id"], before["input_data"])
    assert quick("run", "watch", again["id"], "--exit-status").returncode == 0


def test_a_run_is_begun_again_at_a_step_and_paused_and_resumed(quick: Quick, run_id: str) -> None:
    before = quick.json("run", "view", run_id)
    last = before["steps"][-1]["step_id"]

    started = quick.json("run", "fork", run_id[-8:], "--from", last)
    assert quick("run", "watch", started["run_id"], "--exit-status").returncode == 0
    forked = quick.json("run", "view", started["run_id"])
    over, unknown = quick("run", "pause", run_id), quick("run", "fork", run_id, "--from", "nothing")
    never = quick("run", "resume", run_id)

    assert [step["taken_over_from"] for step in forked["steps"]] == [run_id] * (len(before["steps"]) - 1) + [None]
    assert (over.returncode, never.returncode, unknown.returncode) == (1, 1, 1)
    assert "stays as it is" in over.stderr
    assert "no step 'nothing'" in unknown.stderr


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("command", [
    "agent list", "run list", "recipe list", "model list", "credential types", "persona list", "setting catalogue",
    "audit list", "skill list", "pattern list", "api-key list", "workspace list", "workspace members", "agent types",
    "agent runs 'Digest Writer'", "agent versions 1", "credential types openai", "heartbeat status", "model providers",
    "model recommend coding", "setting list", "skill recommend review", "skill versions code-review",
    "admin workspaces",
])
def test_tables_fit_the_terminal_and_break_no_word_letter_by_letter(
    signed_in: Cli, run_id: str, command: str, width: int
) -> None:
    del run_id
    code, seen = at_terminal(signed_in, *shlex.split(command), COLUMNS=str(width), NO_COLOR="1")

    lines = seen.decode().splitlines()
    assert code == 0, seen
    assert max(map(len, lines)) <= width
    crumbs = [line for line in lines if re.fullmatch(r"\s*\S{1,2}\s*", line)]
    assert len(crumbs) < 3, seen.decode()


def completed(cli: Cli, *words: str, shell: str = "bash", **more: str) -> subprocess.CompletedProcess[str]:
    """What the command answers when somebody presses Tab behind the last word."""
    line = " ".join(["automatos", *words])
    variables = cli.variables | more | {
        "_AUTOMATOS_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": str(len(words)),
        "_TYPER_COMPLETE_ARGS": line}
    return subprocess.run([AUTOMATOS], env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("words", "name"), [
    (("agent", "get", "Evid"), "Evidence\\ Gatherer"), (("recipe", "get", "res"), "research-digest"),
    (("run", "view", "l"), "latest"), (("run", "list", "--recipe", "res"), "research-digest"),
    (("skill", "get", "data"), "data-quality-check"), (("persona", "get", "qa"), "qa-engineer"),
    (("pattern", "get", "load"), "load-balancing"), (("model", "get", "demo"), "demo/demo"),
    (("setting", "get", "heartbeat.t"), "heartbeat.timezone"),
    (("api-key", "revoke", "command"), "command\\ line"), (("workspace", "use", "default"), "default-"),
    (("agent", "create", "--persona", "sec"), "security-engineer"), (("agent", "skills", "x", "--add", "d"), "data-"),
    (("agent", "create", "--model", "demo"), "demo/demo"),
])
def test_the_shell_completes_names(signed_in: Cli, run_id: str, words: tuple[str, ...], name: str) -> None:
    del run_id
    assert f"\n{name}" in f"\n{completed(signed_in, *words).stdout}"


def test_names_that_a_shell_would_take_apart_are_escaped(signed_in: Cli, quick: Quick) -> None:
    made = quick("credential", "create", "Tide (blue)", "--type", "github_api", "--value-env", "token=KEY", KEY="sk-0")
    assert made.returncode == 0, made.stderr

    assert completed(signed_in, "credential", "get", "Tide").stdout == "Tide\\ \\(blue\\)\n"
    assert completed(signed_in, "credential", "get", "Tide\\ ").stdout == "Tide\\ \\(blue\\)\n"
    assert quick("credential", "delete", "Tide (blue)", "--yes").returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_names_that_a_shell_would_run_are_not_offered(signed_in: Cli, quick: Quick, shell: str) -> None:
    for name in ("Odd \\$(id)", "Odd `id`", "Odd one"):
        quick("agent", "create", "--name", name)

    found = completed(signed_in, "agent", "get", "Odd", shell=shell, _TYPER_COMPLETE_FISH_ACTION="get-args").stdout

    assert "one" in found
    assert ("id" in found, "$" in found, "`" in found) == (False, False, False)


def test_in_an_open_quote_and_in_other_shells_names_stand_as_they_are(signed_in: Cli, run_id: str) -> None:
    assert completed(signed_in, "agent", "get", '"Evid').stdout == "Evidence Gatherer\n"
    assert completed(signed_in, "agent", "get", "Evid", shell="fish", _TYPER_COMPLETE_FISH_ACTION="get-args").stdout \
        == "Evidence Gatherer\n"
    assert run_id in completed(signed_in, "run", "view", run_id[:4]).stdout
    in_zsh = completed(signed_in, "run", "view", run_id[:4], shell="zsh").stdout
    assert f'"{run_id}":"Research digest, completed"' in in_zsh


@pytest.mark.parametrize("noun", ["agent", "recipe", "run", "skill", "model", "setting", "workspace"])
def test_completion_without_a_server_is_silent(alone: Cli, noun: str) -> None:
    verb = {"run": "view", "workspace": "use"}.get(noun, "get")
    for url in ("http://127.0.0.1:1", "no address at all"):
        done = completed(alone, noun, verb, "A", AUTOMATOS_URL=url)
        assert (done.stdout.strip(), done.stderr) == ("", "")


async def test_completion_of_answers_that_are_no_servers_of_ours_is_silent(alone: Cli) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        url = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}"
        done = await asyncio.to_thread(completed, alone, "agent", "get", "A", AUTOMATOS_URL=url)

    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_no_command_is_no_fault_and_the_version_is_an_option_too(alone: Cli) -> None:
    assert (alone().returncode, "Commands:" in alone().stdout) == (0, True)
    assert alone("--version").stdout == alone("version").stdout


@pytest.mark.parametrize("noun", [(), ("agent",), ("recipe",), ("run",), ("credential",), ("skill",), ("workspace",)])
def test_no_line_of_help_is_cut_off(alone: Cli, noun: tuple[str, ...]) -> None:
    assert "..." not in alone(*noun, "--help", COLUMNS="80").stdout.replace("COMMAND [ARGS]...", "")


@pytest.mark.slow
async def test_a_person_works_in_another_workspace_and_makes_a_key_of_it() -> None:
    async with stage() as scene:
        server = await scene.start_server()
        async with await set_up(server.url):
            cli = Cli(environment(server.home) | {"AUTOMATOS_URL": server.url})
            code, seen = at_terminal(cli, "auth", "login", answers={
                b"Email: ": OWNER["email"], b"Password: ": OWNER["password"]})
            assert code == 0, seen
            slug = cli("workspace", "create", "Second team").stdout.strip()
            assert slug.startswith("second-team-")
            assert cli("workspace", "use", "Nowhere").returncode == 1
            assert "'Second team'" in cli("workspace", "use", slug).stderr
            assert cli.json("auth", "status")["workspace"] == "Second team"
            assert cli("agent", "create", "--name", "Only there").returncode == 0
            key = cli("api-key", "create", "ci", "--role", "viewer", "--days", "2").stdout.strip()
            assert [each["name"] for each in cli.json("api-key", "list")["items"]] == ["ci"]
            with_key = {"AUTOMATOS_API_KEY": key}
            agents = json.loads(cli("agent", "list", "--json", **with_key).stdout)["items"]
            assert [each["name"] for each in agents] == ["Only there"]
            assert cli("workspace", "use", slug, **with_key).returncode == 2
            assert cli("api-key", "revoke", "ci", "--yes").returncode == 0
            assert cli("agent", "list", **with_key).returncode == 4
            assert cli("workspace", "invite", "bob@example.com").stdout.startswith(server.url)
            assert "bob@example.com\teditor\tinvited" in cli("workspace", "members").stdout


def test_the_outputs_that_a_recipe_declares_are_shown_with_it_and_with_its_run(quick: Quick, tmp_path: Path) -> None:
    file = tmp_path / "declares.yaml"
    file.write_text("""
apiVersion: automatos/v1
kind: Recipe
agents: [{name: Teller, prompt: You tell things.}]
recipe:
  template_id: declares
  name: Declares
  outputs: {tale: {from: tell, description: What is told}, score: {type: number, from: tell}}
  steps: [{step_id: tell, agent: Teller, prompt_template: Tell me of rivers., output_key: told}]
""")
    assert quick("recipe", "apply", file).returncode == 0

    assert "output tale (string): What is told\n" in quick("recipe", "get", "declares").stdout
    quick("recipe", "cook", "declares", "--quiet")
    shown, run = quick("run", "view", "latest").stdout, quick.json("run", "view", "latest")

    assert run["error"]["code"] == "output_invalid"
    assert run["step_outputs"]["told"] == run["output_data"]["outputs"]["tale"]
    assert f"output tale: {run['step_outputs']['told']}\n" in shown
    assert "score: the answer is no number" in shown
