"""Client commands against a real server: data on standard output, exit codes, JSON."""

import json
import stat
from pathlib import Path

import pytest

from tests.chaos.processes import Server
from tests.cli.conftest import EXAMPLES, ROOT, Cli

FAILING = """
apiVersion: automatos/v1
kind: Recipe
agents: [{name: Spendthrift, agent_type: custom, prompt: You write a lot.}]
recipe:
  template_id: over-budget
  name: Over budget
  steps:
    - {step_id: one, agent: Spendthrift, prompt_template: Write about rivers., output_key: a}
    - {step_id: two, agent: Spendthrift, prompt_template: "More about {a}", output_key: b}
  execution_config: {max_total_tokens: 1, max_retries: 0}
"""


def test_without_a_server_a_command_exits_with_3_and_says_how_to_start_one(alone: Cli) -> None:
    done = alone("run", "list")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: no server answers at http://127.0.0.1:")
    assert "\n  start one with: automatos up\n" in done.stderr


def test_without_a_credential_a_command_exits_with_4_and_says_how_to_sign_in(stranger: Cli) -> None:
    done = stranger("agent", "list")

    assert (done.returncode, done.stdout) == (4, "")
    assert "sign in with: automatos auth login" in done.stderr


@pytest.mark.parametrize("arguments", [("nope",), ("run", "watch"), ("run", "list", "--limit", "0")])
def test_a_wrong_command_line_exits_with_2(alone: Cli, arguments: tuple[str, ...]) -> None:
    done = alone(*arguments)

    assert (done.returncode, done.stdout) == (2, "")


def test_a_credential_from_the_environment_is_used_before_anything_that_was_kept(
    stranger: Cli, signed_in: Cli, server: Server
) -> None:
    key = json.loads((server.home / "cli.json").read_text())["api_key"]

    assert stranger("auth", "status", "--json", AUTOMATOS_API_KEY=key).returncode == 0
    wrong = signed_in("auth", "status", AUTOMATOS_API_KEY="ak_wrong")
    assert wrong.returncode == 4


def test_a_kept_credential_is_private_and_not_sent_to_another_server(signed_in: Cli, server: Server) -> None:
    kept = server.home / "cli.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    elsewhere = signed_in("auth", "status", AUTOMATOS_URL=server.url.replace("127.0.0.1", "localhost"))
    assert elsewhere.returncode == 4


def test_signing_in_with_a_key_from_standard_input_and_out_again(stranger: Cli, signed_in: Cli, server: Server) -> None:
    key = json.loads((server.home / "cli.json").read_text())["api_key"]

    assert stranger("auth", "login", "--api-key", "@-", stdin=f"{key}\n").returncode == 0
    shown = json.loads(stranger("auth", "status", "--json").stdout)
    assert (shown["server"], shown["role"]) == (server.url, "owner")
    assert stranger("auth", "logout").returncode == 0
    assert stranger("auth", "status").returncode == 4
    assert signed_in("auth", "status").returncode == 0


def test_logging_out_revokes_a_key_that_was_made_here(tmp_path: Path, signed_in: Cli, server: Server) -> None:
    kept = server.home / "cli.json"
    before = kept.read_text()
    assert signed_in("auth", "login", "--local").returncode == 0
    fresh = json.loads(kept.read_text())["api_key"]
    assert signed_in("auth", "logout").returncode == 0
    kept.write_text(before)
    kept.chmod(0o600)

    assert signed_in("auth", "status", AUTOMATOS_API_KEY=fresh).returncode == 4


def test_a_password_is_never_asked_for_without_a_terminal(stranger: Cli) -> None:
    done = stranger("auth", "login", "--email", "me@example.com", "--no-input")

    assert done.returncode in {2, 4}
    assert "error: " in done.stderr


def test_applying_the_examples_again_changes_nothing(signed_in: Cli) -> None:
    first = signed_in("recipe", "apply", EXAMPLES)
    again = signed_in("recipe", "apply", *sorted(EXAMPLES.glob("*.yaml")), "--json")

    assert first.returncode == 0, first.stderr
    answers = [json.loads(line) for line in again.stdout.splitlines()]
    assert [answer["action"] for answer in answers] == ["unchanged"] * 3
    assert {agent["action"] for answer in answers for agent in answer["agents"]} == {"unchanged"}


@pytest.mark.parametrize("name", ["research-digest", "code-review", "ticket-triage"])
def test_every_example_cooks_with_the_demo_provider(signed_in: Cli, name: str) -> None:
    signed_in("recipe", "apply", EXAMPLES / f"{name}.yaml")

    done = signed_in("recipe", "cook", name, "--watch", "--exit-status", "--json")

    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    facts = [event["seq"] for event in events if event["seq"]]  # text while it is written has no number
    assert facts == list(range(1, len(facts) + 1))
    assert [event["type"] for event in events if event["type"] == "step.completed"] == ["step.completed"] * 3
    assert events[-1]["type"] == "execution.completed"
    assert "view it: http://" in done.stderr


def test_the_ticket_example_works_out_its_time_limit_with_the_calculator(signed_in: Cli) -> None:
    signed_in("recipe", "apply", EXAMPLES / "ticket-triage.yaml")

    done = signed_in("recipe", "cook", "ticket-triage", "-i", "response_hours=12", "--watch", "--json")

    events = [json.loads(line) for line in done.stdout.splitlines()]
    used = [event["data"] for event in events if event["type"] == "tool.finished"]
    assert [(tool["name"], tool["ok"], "3" in tool["output"]) for tool in used[:1]] == [("calculator", True, True)]


def test_watching_in_a_pipe_writes_one_plain_line_an_event(signed_in: Cli) -> None:
    signed_in("recipe", "apply", EXAMPLES / "research-digest.yaml")

    done = signed_in("recipe", "cook", "research-digest", "-i", "topic=tides", "--watch")

    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= 9
    assert all(line[8:10] == "  " for line in lines)
    assert done.stderr.splitlines()[-2].startswith("ok completed in ")


def test_cooking_without_watching_writes_the_id_and_the_run_can_be_viewed(signed_in: Cli) -> None:
    signed_in("recipe", "apply", EXAMPLES / "research-digest.yaml")
    run = signed_in("recipe", "cook", "research-digest", "-q")
    assert run.stdout.startswith("[demo] ")

    started = signed_in("recipe", "cook", "research-digest")
    run_id = started.stdout.strip()
    signed_in("run", "watch", run_id)
    assert f"automatos run watch {run_id}" in started.stderr
    assert signed_in("run", "view", run_id, "--output").stdout.startswith("[demo] ")
    assert json.loads(signed_in("run", "view", run_id, "--json").stdout)["id"] == run_id
    assert "recipe name" in signed_in("run", "view", run_id).stdout
    listed = signed_in("run", "list", "--recipe", "research-digest").stdout
    assert listed.startswith(f"{run_id}\tresearch-digest\tcompleted\t3/3\t")


def test_a_run_that_fails_exits_with_5_only_when_its_status_is_asked_for(signed_in: Cli, tmp_path: Path) -> None:
    file = tmp_path / "over-budget.yaml"
    file.write_text(FAILING)
    assert signed_in("recipe", "apply", file).returncode == 0

    asked = signed_in("recipe", "cook", "over-budget", "--exit-status")
    watched = signed_in("recipe", "cook", "over-budget", "--watch")

    assert (asked.returncode, watched.returncode) == (5, 0)
    assert "not ok: failed" in asked.stderr


def test_an_idempotency_key_starts_one_run(signed_in: Cli) -> None:
    signed_in("recipe", "apply", EXAMPLES / "research-digest.yaml")
    cook = ("recipe", "cook", "research-digest", "-i", "topic=once", "--idempotency-key", "only-once")

    assert signed_in(*cook).stdout == signed_in(*cook).stdout


def test_inputs_come_from_files_and_are_typed_as_the_recipe_declares(signed_in: Cli, tmp_path: Path) -> None:
    signed_in("recipe", "apply", EXAMPLES)
    diff = tmp_path / "change.diff"
    diff.write_text("+ one line\n")

    run = signed_in("recipe", "cook", "code-review", "-i", f"diff=@{diff}").stdout.strip()
    assert json.loads(signed_in("run", "view", run, "--json").stdout)["input_data"]["diff"] == "+ one line\n"
    wrong = signed_in("recipe", "cook", "ticket-triage", "-i", "response_hours=soon")
    assert (wrong.returncode, "must be a JSON integer" in wrong.stderr) == (2, True)
    unknown = signed_in("recipe", "cook", "ticket-triage", "-i", "colour=red")
    assert unknown.returncode == 1
    assert "input_data.colour" in unknown.stderr


def test_cancelling_a_run_that_is_over_is_refused_with_its_status(signed_in: Cli) -> None:
    signed_in("recipe", "apply", EXAMPLES / "research-digest.yaml")
    run = signed_in("recipe", "cook", "research-digest").stdout.strip()
    signed_in("run", "watch", run)

    done = signed_in("run", "cancel", run)

    assert (done.returncode, "completed" in done.stderr) == (1, True)
    assert signed_in("run", "view", "not-a-run").returncode == 1


def test_agents_are_made_found_by_name_and_switched(signed_in: Cli, tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text("name: Tide Reader\nagent_type: data_analyst\ntags: [sea]\ncustom_persona_prompt: You read it.\n")

    made = signed_in("agent", "create", "-f", file, "--tool", "calculator", "--activate", "--json")
    assert made.returncode == 0, made.stderr
    agent = json.loads(made.stdout)
    assert (agent["status"], agent["tools"]) == ("active", ["calculator"])
    assert json.loads(signed_in("agent", "get", "tide reader", "--json").stdout)["id"] == agent["id"]
    assert signed_in("agent", "deactivate", "Tide Reader").returncode == 0
    assert "inactive" in signed_in("agent", "list", "--search", "Tide").stdout
    assert signed_in("agent", "activate", str(agent["id"])).returncode == 0
    missing = signed_in("agent", "get", "Tide")
    assert (missing.returncode, "did you mean: Tide Reader" in missing.stderr) == (1, True)
    assert signed_in("agent", "create").returncode == 2


def test_the_tour_applies_the_examples_and_cooks_one(signed_in: Cli) -> None:
    done = signed_in("demo", "code-review")

    assert done.returncode == 0, done.stderr
    assert "the built-in demo provider, no model" in done.stderr
    assert signed_in("demo", "no-such-example").returncode == 1


def test_the_doctor_finds_a_running_server_well(signed_in: Cli, server: Server) -> None:
    done = signed_in("doctor", "--json", AUTOMATOS_PORT="8000")  # the server has a port of its own

    found = {check["name"]: check for check in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stdout
    assert server.url in found["port"]["detail"]
    assert "demo provider answers" in found["model"]["detail"]
    assert (found["database"]["result"], found["pgvector"]["result"]) == ("ok", "ok")
    assert "row-level security" in found["database"]["detail"]
    assert "our server" in found["port"]["detail"]


def test_the_doctor_names_the_cure_of_what_fails_and_exits_with_1(alone: Cli) -> None:
    done = alone("doctor", DATABASE_URL="postgresql://a:b@127.0.0.1:1/x", REDIS_URL="redis://127.0.0.1:1/0")

    assert done.returncode == 1
    assert "fail  database: " in done.stdout
    assert "fix: No PostgreSQL could be reached" in done.stdout
    assert "warn  redis: does not answer" in done.stdout


@pytest.mark.capability("S171")
def test_seeding_and_upgrading_can_be_repeated(signed_in: Cli) -> None:
    for verb in ("upgrade", "seed", "seed"):
        done = signed_in("db", verb)
        assert done.returncode == 0, done.stderr


def test_the_api_description_and_the_version_need_no_server(alone: Cli) -> None:
    assert json.loads(alone("openapi").stdout)["info"]["title"] == "Automatos"
    assert not (ROOT / "~").exists()  # a home that was not expanded
    assert alone("version").stdout.count(".") == 2
    assert "Commands:" in alone("--help").stdout
