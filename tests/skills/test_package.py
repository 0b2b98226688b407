"""The Agent Skills format: what conforms, beside the format's own reference library, and what is used all the same."""

from pathlib import Path

import pytest
from skills_ref import validate

from automatos.skills import front_matter
from automatos.skills.front_matter import FrontMatterInvalid
from automatos.skills.package import check_package, check_packages, choose, find_skills
from automatos.skills.types import Fitness


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
    assert (ours.verdict is Fitness.CONFORMS) is is_good, (ours.problems, ours.notes)
    assert (ours.verdict is Fitness.UNUSABLE) is (case in UNUSABLE), ours.problems


UNUSABLE = frozenset({"front matter that does not end", "an empty file", "an object", "no description", "a list"})


TAKEN: dict[str, tuple[str, bytes, str, str]] = {
    "metadata that is no map": ("my-skill", head("metadata: text\n").encode(), "my-skill", "metadata"),
    "a licence that is a list": ("my-skill", head("license:\n  - MIT\n").encode(), "my-skill", "license"),
    "a broken byte": ("my-skill", head().encode() + b"caf\xe9", "my-skill", "not UTF-8"),
    "Latin-1": ("my-skill", head(description="Für Gäste, ohne Ende.").encode("latin-1"), "my-skill", "not UTF-8"),
    "UTF-16 with its mark": ("my-skill", head().encode("utf-16"), "my-skill", "utf-16"),
    "UTF-16 without a mark": ("my-skill", head().encode("utf-16-le"), "my-skill", "utf-16-le"),
    "a byte order mark": ("my-skill", b"\xef\xbb\xbf" + head().encode(), "my-skill", "byte order mark"),
    "a NUL by escape": ("my-skill", head('license: "a\\0b"\n').encode(), "my-skill", "NUL"),
    "half a character by escape": ("my-skill", head('license: "\\ud800"\n').encode(), "my-skill", "half a character"),
    "no front matter": ("a/tidy-up", b"# Tidy up\n\nPut all things\nwhere they belong.\n", "tidy-up", "front matter"),
    "no name in a folder": ("a/Tidy Up", b"---\ndescription: Tidies.\n---\nDo it.", "tidy-up", "none of its own"),
    "a name with capitals and a colon": ("x", head(name="Acme:My_Skill").encode(), "acme-my-skill", "lower-case"),
    "a colon in a description": (
        "my-skill", head(description="Use when: it rains # or not").encode(), "my-skill", "line by line"),
    "a bracket that does not end": ("my-skill", head("argument-hint: [file] [more\n").encode(), "my-skill", "line by"),
    "a tab": ("my-skill", head("metadata:\n\tcategory: x\n").encode(), "my-skill", "line by line"),
    "anchors": ("my-skill", head("license: &a MIT\ncompatibility: *a\n").encode(), "my-skill", "anchors"),
    "a map merged": ("my-skill", head("x: &a {b: c}\nmetadata:\n  <<: *a\n").encode(), "my-skill", "anchors"),
    "dates, truths and numbers": (
        "my-skill", head("made: 2024-01-31\nok: yes\nn: 0o17\n").encode(), "my-skill", "made"),
    "a list of lists in brackets": ("my-skill", head("x: [[a, {b: c}], d]\n").encode(), "my-skill", "[ ]"),
    "a long description": ("my-skill", head(description="word " * 1_000).encode(), "my-skill", "characters"),
    "a description of parts": ("my-skill", head(description="[a, b]").encode(), "my-skill", "joined"),
    "only a rule of its own": ("my-skill", b"\n\n" + head().encode().replace(b"name", b"title"), "my-skill", "title"),
    "longer fences": ("my-skill", head().replace("---", "-----").encode(), "my-skill", "between other lines"),
    "an end as YAML has it": ("my-skill", head().replace("---\n\n", "...\n\n").encode(), "my-skill", "between other"),
    "a comment at the top": ("my-skill", b"<!-- made by hand -->\n" + head().encode(), "my-skill", "another place"),
    "characters that nobody sees at the top": ("x", "\u200b".encode() + head().encode(), "my-skill", "folder"),
    "no blank behind colons": (
        "my-skill", b"---\nname:my-skill\ndescription:Tidies.\n---\nDo it.", "my-skill", "blank"),
    "blanks of another kind": ("x", head(description="\u00a0Tidies.").encode(), "my-skill", "folder"),
    "capitals": ("x", b"---\nName: my-skill\nDescription: Tidies.\n---\nDo it.", "my-skill", "in capitals"),
    "two documents": ("my-skill", head("...\nx: y\n").encode(), "my-skill", "line by line"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_others_write_is_used_with_a_note(case: str) -> None:
    folder, content, name, named = TAKEN[case]

    checked = check_package(folder, {"SKILL.md": content})

    assert checked.package is not None, checked.problems
    assert (checked.verdict, checked.package.name) == (Fitness.USABLE, name)
    assert named in " ".join(checked.notes), checked.notes
    assert 0 < len(checked.package.description) <= 1024
    assert checked.package.body


def test_a_rule_across_the_page_is_no_front_matter() -> None:
    parts = front_matter.split("-----\n# Title\n-----\nText")

    assert (parts.head, parts.body) == (None, "-----\n# Title\n-----\nText")


def test_unknown_fields_are_kept_with_what_they_say() -> None:
    text = head('version: 1.10\nmade: 2024-01-31\nrequires: [gh, "jq"]\nok: NO\nargument-hint: [file] [--fast]\n'
                "user-invocable: false\ndisable-model-invocation: True\n")
    package = check_package("my-skill", {"SKILL.md": text.replace("[file] [--fast]", '"[file]"').encode()}).package
    assert package is not None
    assert package.metadata["fields"] | {"argument-hint": ""} == {
        "version": "1.10", "made": "2024-01-31", "requires": ["gh", "jq"], "ok": "NO", "user-invocable": "false",
        "disable-model-invocation": "True", "argument-hint": ""}
    assert package.metadata["invocation"] == {"by_model": False, "by_people": False, "argument_hint": "[file]"}
    read_line_by_line = check_package("my-skill", {"SKILL.md": text.encode()}).package
    assert read_line_by_line is not None
    assert read_line_by_line.metadata["invocation"]["argument_hint"] == "[file] [--fast]"


@pytest.mark.parametrize("head_text", [
    "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)),
    "a: &a " + "x" * 8_000 + "\nb: [" + "*a, " * 900 + "]\n",
])
def test_aliases_cannot_make_a_small_head_large(head_text: str) -> None:
    checked = check_package("my-skill", {"SKILL.md": head(head_text).encode()})
    assert checked.package is None
    assert "grows" in checked.problems[0]


def test_files_that_cannot_be_had_are_left_out_and_named() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
    checked = check_package("my-skill", {
        "skill.md": head().encode(), "a.bin": b"x" * (2**20 + 1), "b.mp4": pointer, "Read.md": b"1", "read.md": b"2"})
    assert checked.package is not None
    assert set(checked.package.files) == {"Read.md", "read.md"}
    assert set(checked.left_out) == {"a.bin", "b.mp4"}
    told = " ".join(checked.notes)
    assert all(words in told for words in ("larger than", "Git LFS", "capitals only", "calls this file SKILL.md"))
    assert check_package("my-skill", {"SKILL.md": pointer}).package is None


def test_of_many_skills_each_has_a_name_of_its_own() -> None:
    checked = check_packages({
        ".claude/skills/a/SKILL.md": head(name="a").encode(), "skills/a/SKILL.md": head(name="a").encode(),
        ".cursor/a/SKILL.md": head("license: X\n", name="a").encode(),
        "docs/ko/skills/a/SKILL.md": head("license: ISC\n", name="a").encode(),
        "other/a/SKILL.md": head("license: MIT\n", name="a").encode(), "SKILL.md": b"Just do it.",
        "none/SKILL.md": b""}, {"gone/SKILL.md": "it leads out"}, "whole")
    chosen = choose(checked)
    assert {package.name: package.folder for package in chosen.packages} == {
        "a": "other/a", "whole": "", "a-2": "skills/a", "ko-a": "docs/ko/skills/a"}
    assert set(chosen.problems) == {".cursor/a", "none", "gone"}
    many = check_packages({f"s{place}/SKILL.md": head(name=f"s{place}").encode() for place in range(2_003)})
    assert sum(one.package is not None for one in many) == 2_000
    assert "2000 are taken" in many[-1].problems[0]


STRICTER: dict[str, dict[str, bytes]] = {
    "a NUL in the body": {"SKILL.md": head().encode() + b"\0"},
    "an empty one": {"SKILL.md": b" \n"},
    "nothing to go by": {"SKILL.md": b"---\nname: x\n---\n"},
    "no name anywhere": {"SKILL.md": b"---\ndescription: x\n---\nx"},
    "a long head": {"SKILL.md": head("# " + "x" * 20_000 + "\n").encode()},
    "deep nesting": {"SKILL.md": head(
        "metadata:\n" + "".join(f"{'  ' * depth}a:\n" for depth in range(1, 60)) + "  " * 60 + "b: c\n").encode()},
    "a large SKILL.md": {"SKILL.md": head().encode() + b"x" * 2**20},
    "many files": {"SKILL.md": head().encode()} | {f"f{place}": b"" for place in range(500)},
    "too much together": {"SKILL.md": head().encode()} | {f"f{place}": b"x" * 2**20 for place in range(11)},
    "a path upwards": {"SKILL.md": head().encode(), "../x": b""},
    "an absolute path": {"SKILL.md": head().encode(), "/x": b""},
    "a .git folder": {"SKILL.md": head().encode(), "a/.git/config": b""},
    "a drive": {"SKILL.md": head().encode(), "C:x": b""},
}


@pytest.mark.parametrize("case", STRICTER)
def test_what_cannot_be_used_says_why(case: str) -> None:
    checked = check_package("", STRICTER[case])
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
    assert checked.package is not None
    assert (checked.verdict, checked.package.tools) == (Fitness.USABLE, [])
    assert named in " ".join(checked.notes)


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
    parts = front_matter.split(front_matter.write(fields, "Body.\n\n---\n\nMore."))
    assert front_matter.read(parts.head or "").fields == fields
    assert parts.body == "Body.\n\n---\n\nMore."
    with pytest.raises(FrontMatterInvalid):
        front_matter.split("---\nno")


def test_a_change_leaves_the_rest_of_a_head_as_it_was_written() -> None:
    written = ("---\n# ours\nname:   my-skill\ndescription: >\n  Old\n  words.\nrequires: [gh,   jq]  # why\n"
               "made: 2024-01-31\n---\nBody.\n")
    changed = front_matter.rewrite(written, {"description": "New: words.", "metadata": {"tags": "a"}}, "Other.")
    assert changed == ("---\n# ours\nname:   my-skill\ndescription: 'New: words.'\nrequires: [gh,   jq]  # why\n"
                       "made: 2024-01-31\nmetadata:\n  tags: a\n---\n\nOther.\n")
    assert front_matter.rewrite("No head.", {}, "Still none.") == "Still none.\n"
    assert "name: x y: z" not in front_matter.rewrite("---\nname: x y: z\n---\nBody.", {"description": "d"}, "Body.")


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


@pytest.mark.parametrize("unit", ["[", "{a: ", "[{a: "])
def test_a_head_that_is_nested_without_end_is_refused_where_it_becomes_too_deep(unit: str) -> None:
    """Each bracket costs as much as there are others around it, so reading stops at the limit."""
    checked = check_package("deep", {"SKILL.md": f"---\na: {unit * (16_000 // len(unit))}\n---\nbody\n".encode()})
    assert checked.package is None
    assert "nested deeper" in " ".join(checked.problems)
