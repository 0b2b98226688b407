"""Commands about agents: made, changed, stopped, given work; asked before anything is lost."""

import json
from itertools import count
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Quick

NUMBERS = count(1)


@pytest.fixture
def name(quick: Quick) -> str:
    """The name of an active agent that nothing uses."""
    made = quick.json("agent", "create", "--name", f"Scout {next(NUMBERS)}", "--prompt", "You look around.",
                      "--activate")
    return made["name"]


@pytest.fixture(scope="package")
def skill(quick: Quick, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a skill of the workspace."""
    folder = tmp_path_factory.mktemp("skills") / "tide-tables"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: tide-tables\ndescription: Reads tides.\n---\nLook at the moon.\n")
    assert quick("skill", "upload", folder).stdout == "skill tide-tables added\n"
    return "tide-tables"


def test_an_export_is_a_file_that_create_import_and_edit_take(quick: Quick, tmp_path: Path, skill: str) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(f"name: Moon Reader\nagent_type: data_analyst\npersona: qa-engineer\nskills: [{skill}]\n")
    made = quick.json("agent", "create", "-f", file, "--tool", "calculator", "--no-activate")
    assert (made["status"], made["persona"]["slug"], made["tools"]) == ("inactive", "qa-engineer", ["calculator"])
    assert [one["name"] for one in made["skills"]] == [skill]

    exported = tmp_path / "exported.yaml"
    assert quick("agent", "export", "moon reader", "-o", exported).returncode == 0
    assert quick("agent", "import", exported).stdout == "agent Moon Reader unchanged\n"
    again = quick("agent", "edit", "Moon Reader", "-f", exported, "--no-input")
    assert (again.returncode, "nothing was changed" in again.stderr) == (0, True), again.stderr
    two = quick("agent", "export", "Moon Reader", str(made["id"])).stdout
    assert two.count("---\n") == 2


def test_an_edit_shows_the_difference_and_is_made_only_when_agreed_to(quick: Quick, name: str) -> None:
    edit = ("agent", "edit", name, "--set", "configuration.max_iterations=7", "--set", "tags=[sea, moon]")

    asked = quick(*edit)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "configuration.max_iterations\n  - 25\n  + 7\n" in asked.stderr
    assert quick.json("agent", "get", name)["version"] == 1
    saved = quick.json(*edit, "--yes")
    assert (saved["version"], saved["configuration"]["max_iterations"], saved["tags"]) == (2, 7, ["sea", "moon"])
    assert quick.json(*edit, "--yes")["version"] == 2


def test_versions_are_listed_compared_and_restored(quick: Quick, name: str) -> None:
    quick("agent", "edit", name, "--set", "description=Looks twice", "--yes")

    assert [one["version"] for one in quick.json("agent", "versions", name)["items"]] == [2, 1]
    assert quick("agent", "diff", name, "1", "2").stdout == "description\n  - null\n  + Looks twice\n"
    assert quick("agent", "restore", name, "1").returncode == 2
    assert quick.json("agent", "restore", name, "1", "--yes")["description"] is None


def test_lists_are_filtered_and_sorted_and_say_how_to_begin(quick: Quick, name: str) -> None:
    quick("agent", "edit", name, "--set", "tags=[rare]", "--yes")

    found = quick.json("agent", "list", "--tag", "rare", "--status", "active", "--sort", "name", "--desc")
    assert [each["name"] for each in found["items"]] == [name]
    line = quick("agent", "list", "--search", name).stdout.rstrip("\n").split("\t")
    assert line[1:] == [name, "active", "default", "0", "0", "-"]
    nothing = quick("agent", "list", "--search", "no such agent")
    assert (nothing.stdout, "automatos agent create" in nothing.stderr) == ("", True)
    assert quick.json("agent", "stats")["total_agents"] >= 1
    assert "code_architect" in quick("agent", "types").stdout


def test_a_stop_names_what_it_touches_and_is_made_only_when_agreed_to(quick: Quick) -> None:
    quick("recipe", "apply", EXAMPLES / "research-digest.yaml")
    quick("agent", "pause", "Evidence Gatherer")
    assert quick("agent", "run", "Evidence Gatherer", "Wait for me").returncode == 0

    asked = quick("agent", "stop", "Evidence Gatherer", "--immediate")
    assert asked.returncode == 2
    assert "-> inactive, immediate" in asked.stderr
    assert "used by recipe 'Research digest'" in asked.stderr
    assert "--yes" in asked.stderr
    stopped = quick.json("agent", "stop", "Evidence Gatherer", "--immediate", "--yes", "--wait")
    assert stopped["agent"]["status"] == "inactive"
    assert quick("agent", "activate", "Evidence Gatherer").stderr == "agent 'Evidence Gatherer' is active\n"
    none_waits = quick("agent", "stop", "Evidence Gatherer", "--cancel")
    assert none_waits.returncode == 1


def test_an_agent_in_use_is_deleted_only_with_all_that_hangs_on_it(quick: Quick, name: str) -> None:
    quick("agent", "pause", name)
    run = quick("agent", "run", name, "Wait for me").stdout.strip()

    refused = quick("agent", "delete", name, "--yes")
    assert (refused.returncode, "--cascade" in refused.stderr, "Wait" in refused.stdout) == (1, True, False)
    assert quick.json("agent", "delete", name, "--cascade", "--yes")["deleted"]
    assert quick("agent", "get", name).returncode == 1
    assert quick("run", "watch", run, "--exit-status").returncode == 5


def test_work_waits_for_a_paused_agent_and_goes_on_when_it_is_resumed(quick: Quick, name: str) -> None:
    assert quick("agent", "pause", name).returncode == 0
    run = quick("agent", "run", name, "Count the ships")
    assert "paused" in run.stderr
    report = quick("agent", "status", name).stdout
    assert f"{name} is paused" in report
    assert run.stdout.strip() in report

    assert quick("agent", "resume", name).returncode == 0
    watched = quick("run", "watch", run.stdout.strip(), "--exit-status")
    assert watched.returncode == 0, watched.stderr
    assert quick.json("agent", "runs", name)["items"][0]["status"] == "completed"


def test_a_task_is_started_once_for_a_key_followed_and_answered(quick: Quick, name: str) -> None:
    task = ("agent", "run", name, "Say what you see", "-i", "ships=3", "-i", "note=@-")

    run = quick(*task, "--idempotency-key", name, stdin="fog").stdout
    assert quick(*task, "--idempotency-key", name, stdin="fog").stdout == run
    assert quick("agent", "execute", name, "@-", "-q", stdin="Answer me").stdout.startswith("[demo] ")
    events = quick(*task, "--watch", "--json", stdin="fog").stdout.splitlines()
    assert json.loads(events[-1])["type"] == "execution.completed"
    assert quick("agent", "runs", name, "--limit", "1").stdout.split("\t")[1:3] == ["task", "completed"]


def test_an_agent_is_tried_out_before_it_exists(quick: Quick, tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text("name: Not yet there\npersona: {custom_prompt: You are a draft., use_custom: true}\n")

    tried = quick("agent", "try", "Hello you", "-f", file)
    assert tried.returncode == 0, tried.stderr
    assert tried.stdout.startswith("[demo] ")
    assert "ok demo/demo answered in " in tried.stderr
    lines = quick("agent", "try", "@-", "-f", file, "--json", stdin="Hi").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    assert (events[0]["event"], events[-1]["event"]) == ("delta", "done")
    assert quick("agent", "get", "Not yet there").returncode == 1


def test_its_voice_skills_and_model_are_chosen_and_shown(
    quick: Quick, name: str, skill: str, tmp_path: Path
) -> None:
    text = tmp_path / "voice.txt"
    text.write_text("You whisper.")

    assert quick.json("agent", "persona", name, "--set", "QA Engineer")["persona_slug"] == "qa-engineer"
    assert quick.json("agent", "persona", name, "--custom-file", text)["system_prompt"] == "You whisper."
    assert quick("agent", "persona", name).stdout == "You whisper.\n"
    assert "You whisper." in quick("agent", "prompt", name, "--text").stdout
    assert "=== persona: Persona, " in quick("agent", "prompt", name).stdout
    assert quick.json("agent", "persona", name, "--clear")["system_prompt"] is None
    assert [one["name"] for one in quick.json("agent", "skills", name, "--add", skill)["items"]] == [skill]
    assert quick.json("agent", "skills", name, "--remove", skill)["items"] == []
    model = quick.json("agent", "model", name, "--set", "demo/demo", "--temperature", "0.5")["model_config"]
    assert (model["provider"], model["temperature"]) == ("demo", 0.5)
    assert "demo/demo" in quick("agent", "model", name).stdout
    assert quick.json("agent", "model", name, "--clear")["model_config"] is None


def test_several_agents_are_treated_at_once_each_by_itself(quick: Quick, name: str) -> None:
    quick("recipe", "apply", EXAMPLES / "research-digest.yaml")
    quick("agent", "pause", "Digest Writer")
    assert quick("agent", "run", "Digest Writer", "Wait for me").returncode == 0

    done = quick("agent", "bulk", "deactivate", name, "Digest Writer")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{name}: ok\nDigest Writer: ")
    assert "automatos agent stop" in done.stderr
    assert quick("agent", "bulk", "delete", name).returncode == 2
    assert quick.json("agent", "bulk", "delete", name, "--yes")["succeeded"] == 1


REFUSALS = {
    "two ways to stop": (("agent", "stop", "1", "--immediate", "--scheduled"), 2, "only one way"),
    "a status that is no stop": (("agent", "stop", "1", "--to", "active"), 2, "--to inactive or --to maintenance"),
    "nothing to edit": (("agent", "edit", "1"), 2, "nothing to change"),
    "a set without a value": (("agent", "edit", "1", "--set", "tags"), 2, "--set FIELD=VALUE"),
    "a set into a value": (("agent", "edit", "1", "--set", "a=1", "--set", "a.b=1"), 2, "a holds a value"),
    "two personas": (("agent", "persona", "1", "--set", "x", "--clear"), 2, "only one persona"),
    "skills set and added": (("agent", "skills", "1", "--set", "x", "--add", "y"), 2, "--set leaves nothing"),
    "a model without provider": (("agent", "model", "1", "--set", "gpt"), 2, "PROVIDER/MODEL"),
    "an unknown bulk action": (("agent", "bulk", "fly", "1"), 2, "untag"),
    "an unknown verb": (("agent", "lst"), 2, "Did you mean"),
    "no such agent": (("agent", "delete", "Nobody", "--yes"), 1, "there is no agent 'Nobody'"),
    "hours that are none": (("heartbeat", "set", "1", "--hours", "noon"), 2, "08:00-20:00"),
    "no change of a heartbeat": (("heartbeat", "set", "1"), 2, "--every"),
    "a setting without a key": (("setting", "get", "nonsense"), 2, "CATEGORY.KEY"),
    "an unknown setting": (("setting", "get", "heartbeat.pulse"), 1, "no setting"),
    "a pin to nothing": (("skill", "source", "pin", "x"), 2, "--release"),
    "an unknown source": (("skill", "source", "sync", "nowhere"), 1, "no source 'nowhere'"),
    "an unknown model": (("model", "get", "claude"), 1, "did you mean: anthropic/claude"),
    "an unknown type of credential": (("credential", "create", "x", "--type", "openai_ap"), 1, "openai_api"),
    "a persona without a text": (("persona", "create", "--name", "x"), 2, "--prompt-file"),
    "a skill without a text": (("skill", "create", "--name", "x"), 2, "description and content"),
}


@pytest.mark.parametrize(("arguments", "code", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_wrong_command_is_refused_with_what_to_do(
    quick: Quick, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = quick(*arguments)

    assert (done.returncode, done.stdout, said in done.stderr) == (code, "", True), done.stderr
    assert "Traceback" not in done.stderr
