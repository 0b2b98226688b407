"""Names of files that people cannot see as they are, in archives and in trees; honest text however well it packs."""

import stat

import pytest

from automatos.skills.archive import read_archive
from automatos.skills.errors import ArchiveRefused
from automatos.skills.package import check_packages
from automatos.skills.paths import path_fault, twins
from tests.skills.conftest import skill_md
from tests.skills.test_upload import zipped

UNSEEN = {
    "right to left": "a\u202egpj.md", "an isolate": "a\u2066b.md", "zero width": "a\u200bb.md",
    "a word joiner": "a\u2060b", "a soft hyphen": "a\u00adb.md", "a mark of the byte order": "\ufeffa.md",
    "a joiner between Latin letters": "a\u200db.md", "a blank that is none": "a\u00a0b.md",
    "a filler": "a\u3164b.md", "a tag": "a\U000e0061b.md", "an escaped slash": "a%2fb.md",
    "escaped dots": "%2e%2e", "escaped twice": "%252e%252e", "an escaped NUL": "a%00b.md",
    "a full-width slash": "a\uff0fb.md", "full-width dots": "\uff0e\uff0e", "a two-dot leader": "\u2025",
    "a full-width percent sign": "a\uff052fb", "a device": "aux", "a device with an ending": "NUL.tar.md",
    "a port": "com1.md", "a port by a superscript": "COM\u00b9.md",
    "a device in full-width letters": "\uff43\uff4f\uff4e.md", "a dot at the end": "a.",
    "a blank at the end": "a.md ", "a .git folder in full-width letters": "\uff0egit",
    "a hidden .git folder": ".g\u200bit",
}
SEEN = ["é.md", "说明\uff1a使用.md", "100\uff05.md", "नमस्ते\u200dक.md", "👩\u200d🔬.md", "❤\ufe0f.md", "资料Ａ.md",
        "a%20b.md", "100%.md", "console.md", "auxiliary/a.md", "com10.md", "Ω.md", "a b.md", "Ⅳ.md"]


@pytest.mark.parametrize("name", UNSEEN)
def test_a_name_that_hides_something_is_judged_alike_in_folders_and_files(name: str) -> None:
    assert path_fault(UNSEEN[name])
    assert path_fault(f"references/{UNSEEN[name]}")
    assert path_fault(f"{UNSEEN[name]}/a.md")


@pytest.mark.parametrize("name", SEEN)
def test_a_name_of_any_script_is_taken(name: str) -> None:
    assert path_fault(name) is None


def test_names_that_look_alike_are_twins() -> None:
    found = twins(["e\u0301.md", "\u00e9.md", "x.md", "\uff58.md", "y.md", "Y.md", "\u212b", "\u00c5"])
    assert set(found) == {"\u00e9.md", "\uff58.md", "\u00c5"}


def test_a_skill_with_twins_is_refused_by_name() -> None:
    (checked,) = check_packages(
        {"one/SKILL.md": skill_md("one").encode(), "one/e\u0301.md": b"a", "one/\u00e9.md": b"b"})
    assert checked.package is None
    assert "cannot tell" in " ".join(checked.problems)


@pytest.mark.parametrize("path", [
    "one/%2e%2e/x", "one/\uff0e\uff0e/x", "one/.g\u200bit/config", "one/a%5c..%5c../x", "\uff0fetc/x",
])
def test_an_archive_that_leads_out_under_another_spelling_is_refused(path: str) -> None:
    with pytest.raises(ArchiveRefused):
        read_archive(zipped({"one/SKILL.md": skill_md("one"), path: "x"}))


@pytest.mark.parametrize("content", ["The same line.\n" * 33_000, "a" * 900_000, "\n".join(["word"] * 150_000)])
def test_honest_text_is_taken_however_well_it_packs(content: str) -> None:
    assert read_archive(zipped({"one/SKILL.md": skill_md("one"), "one/a.txt": content})).files["one/a.txt"]


def test_bytes_made_are_counted_over_files_links_and_what_they_lead_to() -> None:
    whole = {"one/SKILL.md": skill_md("one"), "one/a": bytes(2**20)}
    with pytest.raises(ArchiveRefused, match="bytes unpacked"):
        read_archive(zipped(whole | {f"one/f{n}": bytes(2**20) for n in range(80)}))
    links = {f"one/l{n}": "a" for n in range(81)}
    with pytest.raises(ArchiveRefused, match="bytes unpacked"):
        read_archive(zipped(whole | links, mode=dict.fromkeys(links, stat.S_IFLNK | 0o777)))
    long = {"one/l": "a" * 501}
    with pytest.raises(ArchiveRefused, match="link"):
        read_archive(zipped(whole | long, mode={"one/l": stat.S_IFLNK | 0o777}))
