"""The Agent Skills format: what we take and refuse, beside the format's own reference library."""

from pathlib import Path

import pytest
from skills_ref import validate

from automatos.skills import front_matter
from automatos.skills.front_matter import FrontMatterInvalid
from automatos.skills.package import check_package, find_skills

HEAD = "---\nname: my-skill\ndescription: Does one thing.\n{more}---\n\nBody.\n"


def head(more: str = "", name: str = "my-skill", description: str = "Does one thing.") -> str:
    return f"---\nname: {name}\ndescription: {description}\n{more}---\n\nBody.\n"


AGREED: dict[str, tuple[str, str, bool]] = {
    "plain": ("my-skill", head(), True),
    "every field": ("my-skill", head(
        "license: MIT\ncompatibility: Needs git\nallowed-tools: Read Bash\n"
        "metadata:\n  author: me\n  version: '1.0'\n"), True),
    "a list of tools": ("my-skill", head("allowed-tools:\n  - Read\n  - Grep\n"), True),
    "a long text": ("my-skill", head(description=">\n  One line\n  and another."), True),
    "numbers are text": ("my-skill", head("license: 5\nmetadata:\n  version: 1.0\n  ok: true\n"), True),
    "a name of digits": ("123", head(name="123"), True),
    "spaces around a name": ("my-skill", head(name="'  my-skill '"), True),
    "letters of other scripts": ("отчёт", head(name="отчёт"), True),
    "a ligature is its letters": ("fix", head(name="ﬁx"), True),
    "64 characters": ("a" * 64, head(name="a" * 64), True),
    "1024 characters": ("my-skill", head(description="x" * 1024), True),
    "500 characters of compatibility": ("my-skill", head(f"compatibility: {'x' * 500}\n"), True),
    "no body": ("my-skill", "---\nname: my-skill\ndescription: x\n---\n", True),
    "Windows line ends": ("my-skill", head().replace("\n", "\r\n"), True),
    "a comment": ("my-skill", head("# a note\n"), True),
    "65 characters": ("a" * 65, head(name="a" * 65), False),
    "1025 characters": ("my-skill", head(description="x" * 1025), False),
    "501 characters of compatibility": ("my-skill", head(f"compatibility: {'x' * 501}\n"), False),
    "capitals": ("My-Skill", head(name="My-Skill"), False),
    "an underscore": ("my_skill", head(name="my_skill"), False),
    "a space": ("my skill", head(name="my skill"), False),
    "a hyphen first": ("-my", head(name="-my"), False),
    "a hyphen last": ("my-", head(name="my-"), False),
    "two hyphens": ("my--skill", head(name="my--skill"), False),
    "a slash": ("my-skill", head(name="my/skill"), False),
    "another folder": ("other", head(), False),
    "no name": ("my-skill", "---\ndescription: x\n---\n", False),
    "no description": ("my-skill", "---\nname: my-skill\n---\n", False),
    "an empty description": ("my-skill", head(description="''"), False),
    "a blank description": ("my-skill", head(description="'   '"), False),
    "an unknown field": ("my-skill", head("version: 1\n"), False),
    "a name that is a list": ("my-skill", "---\nname:\n  - a\ndescription: x\n---\n", False),
    "compatibility that is a list": ("my-skill", head("compatibility:\n  - a\n"), False),
    "no front matter": ("my-skill", "# Hello\n", False),
    "front matter that does not end": ("my-skill", "---\nname: my-skill\ndescription: x\n", False),
    "an empty file": ("my-skill", "", False),
    "not YAML": ("my-skill", head(description="a: b: c"), False),
    "a list": ("my-skill", "---\n- a\n---\n", False),
    "an anchor": ("my-skill", head("license: &a MIT\ncompatibility: *a\n"), False),
    "a tag": ("my-skill", head("license: !!str MIT\n"), False),
    "an object": ("my-skill", head("license: !!python/object/apply:os.system ['id']\n"), False),
    "a flow map": ("my-skill", head("metadata: {a: b}\n"), False),
    "a flow list": ("my-skill", head("allowed-tools: [a, b]\n"), False),
    "a field twice": ("my-skill", head("name: my-skill\n"), False),
}


@pytest.mark.parametrize("case", AGREED)
def test_we_agree_with_the_reference_library(tmp_path: Path, case: str) -> None:
    name, content, is_good = AGREED[case]
    place = tmp_path / name
    place.mkdir()
    (place / "SKILL.md").write_bytes(content.encode())

    ours = check_package(name, {"SKILL.md": content.encode()})

    assert (validate(place) == []) is is_good
    assert (ours.problems == []) is is_good, ours.problems
    assert (ours.package is not None) is is_good


STRICTER: dict[str, dict[str, bytes]] = {
    "metadata that is no map": {"SKILL.md": head("metadata: text\n").encode()},
    "metadata with a list in it": {"SKILL.md": head("metadata:\n  a:\n    - b\n").encode()},
    "a licence that is a list": {"SKILL.md": head("license:\n  - MIT\n").encode()},
    "not UTF-8": {"SKILL.md": head().encode() + b"\xff"},
    "a NUL in the body": {"SKILL.md": head().encode() + b"\0"},
    "a NUL by escape": {"SKILL.md": head('license: "a\\0b"\n').encode()},
    "half a character by escape": {"SKILL.md": head('license: "\\ud800"\n').encode()},
    "a long head": {"SKILL.md": head("# " + "x" * 20_000 + "\n").encode()},
    "deep nesting": {"SKILL.md": head(
        "metadata:\n" + "".join(f"{'  ' * depth}a:\n" for depth in range(1, 60)) + "  " * 60 + "b: c\n").encode()},
    "a large file": {"SKILL.md": head().encode(), "a": b"x" * (2**20 + 1)},
    "many files": {"SKILL.md": head().encode()} | {f"f{place}": b"" for place in range(500)},
    "too much together": {"SKILL.md": head().encode()} | {f"f{place}": b"x" * 2**20 for place in range(11)},
    "a path upwards": {"SKILL.md": head().encode(), "../x": b""},
    "an absolute path": {"SKILL.md": head().encode(), "/x": b""},
    "a .git folder": {"SKILL.md": head().encode(), "a/.git/config": b""},
    "a drive": {"SKILL.md": head().encode(), "C:x": b""},
}


@pytest.mark.parametrize("case", STRICTER)
def test_where_we_are_stricter_on_purpose(case: str) -> None:
    checked = check_package("my-skill", STRICTER[case])
    assert checked.package is None
    assert checked.problems


TOOL = b'{"name": "count", "description": "x", "parameters": {"type": "object"}, "command": "scripts/a.py"}'
ELSEWHERE = b'"object", "properties": {"a": {"$ref": "http://127.0.0.1/s"}}'
DEEP = b'"object", "not": ' + b'{"not": ' * 20 + b"{}" + b"}" * 20
TOOLS: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"{", "not JSON"), "no list": (b"{}", "list"),
    "too many": (b"[" + b",".join([TOOL] * 33) + b"]", "32"),
    "twice": (b"[" + TOOL + b"," + TOOL + b"]", "twice"), "a missing field": (b'[{"name": "a"}]', "exactly"),
    "an extra field": (b"[" + TOOL[:-1] + b', "x": 1}]', "exactly"),
    "a capital": (b"[" + TOOL.replace(b"count", b"Count") + b"]", "lower-case"),
    "a long name": (b"[" + TOOL.replace(b"count", b"c" * 60) + b"]", "64"),
    "outside scripts": (b"[" + TOOL.replace(b"scripts/a.py", b"a.py") + b"]", "scripts/"),
    "another ending": (b"[" + TOOL.replace(b"a.py", b"a.rb") + b"]", "end"),
    "not there": (b"[" + TOOL.replace(b"a.py", b"b.py") + b"]", "no file"),
    "not an object": (b"[" + TOOL.replace(b"object", b"string") + b"]", "type object"),
    "no schema": (b"[" + TOOL.replace(b'"object"', b'"object", "properties": 5') + b"]", "not a JSON Schema"),
    "a schema elsewhere": (b"[" + TOOL.replace(b'"object"', ELSEWHERE) + b"]", "$ref"),
    "patterns of names": (b"[" + TOOL.replace(b'"object"', b'"object", "patternProperties": {}') + b"]", "patternProp"),
    "deep": (b"[" + TOOL.replace(b'"object"', DEEP) + b"]", "deeper"),
}


@pytest.mark.parametrize("case", TOOLS)
@pytest.mark.capability("S061")
def test_tools_that_cannot_be_offered_are_refused(case: str) -> None:
    content, named = TOOLS[case]
    checked = check_package("my-skill", {
        "SKILL.md": head().encode(), "scripts/a.py": b"", "a.py": b"", "scripts/a.rb": b"", "tools.json": content})
    assert checked.package is None
    assert named in " ".join(checked.problems)


def test_what_a_head_may_say_is_read_as_written() -> None:
    text = head("allowed-tools: Read Bash(git:*)\n"
                "metadata:\n  category: security\n  skill-type: cognitive\n  tags: A, b,a\n")
    package = check_package("skills/my-skill", {"SKILL.md": text.encode()}).package
    assert package is not None
    assert (package.category, package.skill_type, package.tags) == ("security", "cognitive", ["a", "b"])
    assert package.metadata["allowed_tools"] == ["Read", "Bash(git:*)"]
    assert (package.body, package.core_tokens) == ("Body.", 2)


def test_a_head_can_be_written_and_read_again() -> None:
    fields = {"name": "my-skill", "description": "Says: \"hi\" # not a comment\n---\n- é 日本",
              "metadata": {"a": "1", "b": "yes"}}
    read_head, body = front_matter.split(front_matter.write(fields, "Body.\n\n---\n\nMore."))
    assert front_matter.read(read_head) == fields
    assert body == "Body.\n\n---\n\nMore."
    with pytest.raises(FrontMatterInvalid):
        front_matter.split("no")


def test_every_folder_with_a_skill_is_one_and_keeps_its_own_files() -> None:
    found = find_skills({
        "SKILL.md": b"0", "notes.md": b"1", "a/SKILL.md": b"2", "a/b/x": b"3", "a/b/c/SKILL.md": b"4", "a/b/c/y": b"5",
        "d/z": b"6",
    })
    assert found == {
        "": {"SKILL.md": b"0", "notes.md": b"1", "d/z": b"6"}, "a": {"SKILL.md": b"2", "b/x": b"3"},
        "a/b/c": {"SKILL.md": b"4", "y": b"5"},
    }
    assert find_skills({"README.md": b""}) == {}
