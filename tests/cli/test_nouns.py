"""Commands about personas, skills, credentials, models, settings, heartbeats and the audit log."""

import json
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Quick

SECRET = "sk-very-secret-0123456789abcdef"  # nothing opens with it


def test_a_persona_is_made_changed_and_deleted(quick: Quick, tmp_path: Path) -> None:
    text = tmp_path / "voice.txt"
    text.write_text("You speak like the sea.")

    made = quick.json("persona", "create", "--name", "Old Salt", "--prompt-file", text, "--tag", "sea")
    assert (made["slug"], made["scope"]) == ("old-salt", "workspace")
    edit = ("persona", "edit", "old-salt", "--set", "voice_description=Slow")
    assert quick(*edit).returncode == 2
    assert quick.json(*edit, "--yes")["version"] == 2
    assert "You speak like the sea." in quick("persona", "get", "Old Salt").stdout
    assert "old-salt\tOld Salt\t" in quick("persona", "list", "--scope", "workspace").stdout
    assert quick.json("persona", "delete", "old-salt", "--yes")["deleted"]
    shipped = quick("persona", "edit", "qa-engineer", "--set", "name=Mine", "--yes")
    assert (shipped.returncode, "Traceback" in shipped.stderr) == (1, False)


@pytest.mark.capability("S062")
def test_a_pattern_is_made_changed_in_part_or_whole_and_deleted(quick: Quick, tmp_path: Path) -> None:
    file = tmp_path / "tide.yaml"
    file.write_text("name: Tide watch\npattern_type: coordination\npattern_data: {steps: [look, tell], legs: 2}\n")

    made = quick.json("pattern", "create", "--file", file, "--description", "Two look, one tells.")
    assert (made["slug"], made["scope"], made["version"]) == ("tide-watch", "workspace", 1)
    assert "tide-watch\tTide watch\tcoordination\tworkspace\t" in quick("pattern", "list").stdout
    assert "- steps: look, tell\n- legs: 2" in quick("pattern", "get", "Tide watch").stdout
    edit = ("pattern", "edit", "tide-watch", "--set", "pattern_data.legs=3")
    asked = quick(*edit)
    assert (asked.returncode, "pattern_data.legs\n  - 2\n  + 3" in asked.stderr) == (2, True)
    assert quick.json(*edit, "--yes")["pattern_data"] == {"steps": ["look", "tell"], "legs": 3}
    file.write_text("pattern_data: {steps: [look]}\n")
    whole = quick("pattern", "edit", "tide-watch", "--file", file, "--yes")
    assert "pattern_data.legs\n  - 3\n  + null" in whole.stderr
    assert quick.json("pattern", "get", "tide-watch")["pattern_data"] == {"steps": ["look"]}
    assert quick.json("pattern", "delete", "tide-watch", "--yes") == {"slug": "tide-watch", "deleted": True}
    shipped = quick("pattern", "edit", "load-balancing", "--set", "name=Mine", "--yes")
    assert (shipped.returncode, "came with the product" in shipped.stderr) == (1, True)
    assert quick("pattern", "create", "--name", "Half").returncode == 2


def test_a_recipe_is_exported_as_a_file_that_apply_takes(quick: Quick, tmp_path: Path) -> None:
    file = tmp_path / "boat.yaml"
    file.write_text("apiVersion: automatos/v1\nkind: Recipe\nagents: [{name: Rower, agent_type: custom}]\n"
                    "recipe:\n  template_id: boat\n  name: Boat\n"
                    "  steps: [{step_id: row, agent: Rower, prompt_template: Row.}]\n")
    quick("recipe", "apply", file)

    told = quick("recipe", "export", "Boat", "--output", tmp_path / "out.yaml")
    assert told.stderr == f"recipe boat written to {tmp_path / 'out.yaml'}\n"
    assert "template_id: boat" in quick("recipe", "export", "boat").stdout
    assert quick.json("recipe", "export", "boat")["recipe"]["steps"][0]["agent"] == "Rower"
    assert "recipe boat unchanged" in quick("recipe", "apply", tmp_path / "out.yaml").stdout
    full = quick("recipe", "export", "boat", "--output", tmp_path / "no" / "such.yaml")
    assert (full.returncode, "cannot be written" in full.stderr, "Traceback" in full.stderr) == (1, True, False)


def test_a_skill_is_written_read_in_three_levels_and_restored(quick: Quick, tmp_path: Path) -> None:
    text = tmp_path / "body.md"
    text.write_text("Count the waves.")
    quick("skill", "create", "--name", "wave-count", "--description", "Counts waves.", "--content-file", text)

    changed = quick.json("skill", "edit", "wave-count", "--set", "content=Count them twice.", "--yes")
    assert changed["current_version"] == 2
    assert quick("skill", "content", "wave-count").stdout == "Count them twice.\n"
    assert "Counts waves." in quick("skill", "content", "wave-count", "--level", "1").stdout
    assert len(quick.json("skill", "versions", "wave-count")["items"]) == 2
    assert quick.json("skill", "restore", "wave-count", "1", "--yes")["current_version"] == 3
    assert quick("skill", "content", "wave-count").stdout == "Count the waves.\n"
    assert "wave-count" in quick("skill", "recommend", "count the waves").stdout
    assert quick.json("skill", "delete", "wave-count", "--yes")["deleted"]


def test_how_a_source_is_read_can_be_changed(quick: Quick) -> None:
    missing = quick("skill", "source", "edit", "acme/none", "--folder", "tools", "--yes")
    assert (missing.returncode, "acme/none" in missing.stderr, "Traceback" in missing.stderr) == (1, True, False)
    nothing = quick("skill", "source", "edit", "acme/none")
    assert (nothing.returncode, "nothing to change" in nothing.stderr) == (2, True)


def test_folders_of_skills_are_checked_without_a_server_and_uploaded_whole(
    alone: Cli, quick: Quick, tmp_path: Path
) -> None:
    for name, head in {"fog-horn": "name: fog-horn\ndescription: Toots.", "bad-one": "name: other\n"}.items():
        folder = tmp_path / name / "references"
        folder.mkdir(parents=True)
        (folder.parent / "SKILL.md").write_text(f"---\n{head}\n---\nDo it.\n")
        (folder / "notes.md").write_text("Loud.")
        (folder.parent / ".hidden").write_text("not sent")

    checked = alone("skill", "validate", tmp_path)
    assert checked.returncode == 1
    assert "fog-horn: ok" in checked.stdout
    assert "bad-one: not valid, though it can be used, about" in checked.stdout
    (tmp_path / "worst" / "SKILL.md").parent.mkdir()
    (tmp_path / "worst" / "SKILL.md").write_text("---\nno end")
    counted = alone("skill", "check", tmp_path)
    assert (counted.returncode, f"{tmp_path}: 2 of 3 usable, 1 conform" in counted.stdout) == (1, True)
    assert "front matter that does not end" in counted.stdout
    sent = quick("skill", "upload", tmp_path)
    assert sent.stdout.splitlines() == ["skill other added", "skill fog-horn added"]
    assert "worst was left out: SKILL.md has front matter" in sent.stderr
    assert "other: name: 'other' is not the name of its folder, 'bad-one'." in sent.stderr
    files = [file["path"] for file in quick.json("skill", "get", "fog-horn")["files"]]
    assert files == ["references/notes.md"]
    assert quick("skill", "content", "fog-horn", "--file", "references/notes.md").stdout == "Loud.\n"


def test_a_secret_is_never_taken_from_the_command_line_nor_shown(quick: Quick, tmp_path: Path) -> None:
    create = ("credential", "create", "Harbour", "--type", "openai")

    typed = quick(*create, "--set", f"api_key={SECRET}")
    assert (typed.returncode, SECRET in typed.stderr + typed.stdout) == (2, False)
    mistyped = quick(*create, "--value-env", SECRET)
    assert (mistyped.returncode, SECRET in mistyped.stderr) == (2, False)
    assert quick(*create).returncode == 2
    assert quick(*create, "--value-env", "api_key=NOT_SET").returncode == 1

    made = quick(*create, "--value-file", "api_key=-", "--tag", "sea", "--json", stdin=f"{SECRET}\n")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["fields"]["api_key"]["hint"].endswith(SECRET[-4:])
    seen = [quick("credential", verb, *more).stdout for verb, more in (
        ("get", ["harbour"]), ("list", []), ("uses", ["harbour"]), ("types", ["openai"]))]
    assert not any(SECRET in text for text in [made.stdout, *seen])
    assert "credential.created" in seen[2]
    edit = ("credential", "edit", "Harbour", "--value-env", "api_key=KEY", "--off", "--yes")
    changed = quick.json(*edit, KEY=SECRET * 2)
    assert changed["is_active"] is False
    assert quick.json("credential", "delete", "Harbour", "--yes")["deleted"]


def test_models_are_listed_asked_priced_and_chosen(quick: Quick) -> None:
    assert quick.json("model", "test", "demo/demo")["ok"]
    unreachable = quick("model", "test", "openai/gpt-5-mini")
    assert (unreachable.returncode, "error: " in unreachable.stderr) == (1, True)
    price = quick("model", "estimate", "anthropic/claude-haiku-4-5", "--in", "1000", "--out", "1000")
    assert price.stdout == "$0.0060\n"
    assert len(quick.json("model", "recommend", "coding", "--limit", "2")["items"]) == 2
    assert "openai" in quick("model", "providers").stdout

    added = quick("model", "add", "vllm/tide-1", "--set", "context_window=4096")
    assert (added.returncode, "system admin" in added.stderr) == (1, True)
    assert quick.json("model", "get", "claude-haiku-4-5")["provider"] == "anthropic"
    assert quick("model", "default", "--set", "demo/demo").stderr == "from: workspace settings\n"
    assert quick("model", "default", "--reset").stdout == "demo/demo\n"


def test_settings_are_read_set_and_reset(quick: Quick) -> None:
    key = "heartbeat.timezone"

    assert quick("setting", "get", key).stdout == "UTC\n"
    assert quick("setting", "set", key, "Europe/Berlin").stderr == f"{key} is Europe/Berlin (workspace)\n"
    assert quick("setting", "reset", key).stderr == f"{key} is UTC (system)\n"
    wrong = quick("setting", "set", "orchestrator_llm.temperature", "9")
    assert (wrong.returncode, "temperature" in wrong.stderr) == (1, True)
    assert "orchestrator_llm.temperature\tnumber\t" in quick("setting", "catalogue").stdout
    assert quick.json("setting", "list", "--category", "heartbeat")["total"] == 3


def test_an_agent_checks_in_when_it_is_told_to(quick: Quick) -> None:
    quick("agent", "create", "--name", "Watchman", "--activate")
    assert quick("heartbeat", "last", "Watchman").stderr.startswith("it has not checked in yet")

    config = quick.json("heartbeat", "set", "Watchman", "--every", "30", "--hours", "07:00-19:00", "--yes")
    assert (config["interval_minutes"], config["inherit_active_hours"]) == (30, False)
    assert quick("heartbeat", "set", "Watchman", "--every", "15").returncode == 2
    assert "is on; next at " in quick("heartbeat", "on", "Watchman").stderr
    assert "Watchman\tactive\ton\t30 min" in quick("heartbeat", "status").stdout
    assert quick("heartbeat", "run", "Watchman", "--watch").returncode == 0
    until = time.monotonic() + 10
    while quick.json("heartbeat", "last", "Watchman")["status"] == "running" and time.monotonic() < until:
        time.sleep(0.1)
    assert quick.json("heartbeat", "history", "Watchman")["items"][0]["status"] == "success"
    assert quick("heartbeat", "off", "Watchman").stderr == "the heartbeat of agent 'Watchman' is off\n"


def test_the_audit_log_tells_who_did_what(quick: Quick) -> None:
    agent = quick.json("agent", "create", "--name", "Noted", "--no-activate")

    found = quick.json("audit", "list", "--target-type", "agent", "--target", str(agent["id"]))["items"]
    assert [each["action"] for each in found] == ["agent.created"]
    page = quick("audit", "list", "--limit", "1")
    assert (len(page.stdout.splitlines()), "--cursor" in page.stderr) == (1, True)


@pytest.mark.parametrize("command", ["skill source list", "skill list", "pattern list", "credential list", "run list"])
def test_lists_write_json_with_their_items(quick: Quick, command: str) -> None:
    assert isinstance(quick.json(*command.split())["items"], list)
