"""Skills from a ZIP as people make them: what can be used is taken, and nothing that could reach out of it."""

import io
import random
import stat
import struct
import zipfile
from contextlib import suppress

import pytest

from automatos.kernel.db import Database
from automatos.skills.archive import read_archive
from automatos.skills.errors import ArchiveRefused
from tests.byte_inputs import archive
from tests.skills.conftest import NOTHING, skill_md, stored
from tests.surface import Answer, Client

ZIP = {"Content-Type": "application/zip"}


def zipped(
    files: dict[str, bytes | str], *, method: int = zipfile.ZIP_DEFLATED, mode: dict[str, int] | None = None
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, content in files.items():
            info = zipfile.ZipInfo(path)
            info.compress_type = method
            info.external_attr = (mode or {}).get(path, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return out.getvalue()


async def upload(client: Client, content: bytes, headers: dict[str, str] = ZIP) -> Answer:
    return await client.post("/api/skills/upload", data=io.BytesIO(content), headers=headers)


GOOD = {"pack/one/SKILL.md": skill_md("one"), "pack/one/references/a.md": "A.", "pack/two/SKILL.md": skill_md("two"),
        "pack/README.md": "hello", "__MACOSX/pack/._x": b"\0", "pack/one/.DS_Store": b"\0"}


async def test_every_skill_in_the_archive_is_taken(client: Client) -> None:
    done = (await upload(client, zipped(GOOD))).json()

    assert (done["added"], done["updated"], done["unchanged"]) == (["one", "two"], [], [])
    assert [(skill["source"], skill["path"]) for skill in done["items"]] == [
        ("upload", "pack/one"), ("upload", "pack/two")]
    files = (await client.get(f"/api/skills/{done['items'][0]['id']}")).json()["files"]
    assert [file["path"] for file in files] == ["references/a.md"]

    again = (await upload(client, zipped(GOOD | {"pack/two/SKILL.md": skill_md("two", body="Better.")}))).json()
    assert (again["added"], again["updated"], again["unchanged"]) == ([], ["two"], ["one"])
    assert [skill["current_version"] for skill in again["items"]] == [1, 2]


async def test_a_skill_at_the_top_needs_no_folder(client: Client) -> None:
    assert (await upload(client, zipped({"SKILL.md": skill_md("alone"), "scripts/x.sh": "true"}))).json()["added"] == [
        "alone"]


NOISE = random.Random(7).randbytes(20_000)


def encrypted() -> bytes:
    content = bytearray(zipped({"one/SKILL.md": skill_md("one")}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(mark) + at
        content[place:place + 2] = struct.pack("<H", 1)
    return bytes(content)


def lying() -> bytes:
    """The list says that a file is small; what is packed is not."""
    content = bytearray(zipped({"one/SKILL.md": skill_md("one"), "one/a": "x" * 5_000}))
    place = content.rindex(b"PK\x01\x02") + 24
    content[place:place + 4] = struct.pack("<I", 10)
    return bytes(content)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "a path upwards": (zipped(GOOD | {"../../x": "x"}), "'..'"),
    "an absolute path": (zipped(GOOD | {"/etc/x": "x"}), "absolute"),
    "a drive": (zipped(GOOD | {"C:/x": "x"}), "absolute"),
    "a backslash": (zipped(GOOD | {"..\\x": "x"}), "backslash"),
    "a link": (zipped(GOOD | {"one/l": "/etc/passwd"}, mode={"one/l": stat.S_IFLNK | 0o777}), "link"),
    "a device": (zipped(GOOD | {"one/d": ""}, mode={"one/d": stat.S_IFCHR | 0o666}), "not a plain file"),
    "a .git folder": (zipped(GOOD | {"one/.git/config": "x"}), ".git"),
    "too many files": (zipped({"SKILL.md": "x"} | {f"f{place}": "" for place in range(500)}), "500"),
    "far too many entries": (zipped({f"f{place}/": "" for place in range(20_100)}), "20000"),
    "a large whole": (zipped({f"s{n}/SKILL.md": "x" for n in range(9)} | {
        f"s{n % 9}/{n}": NOISE * 51 for n in range(83)}), "more than"),
    "a bomb": (zipped(GOOD | {f"pack/one/{n}": bytes(2**20) for n in range(81)}), "bytes unpacked"),
    "encrypted": (encrypted(), "encrypted"),
    "a lie": (lying(), "damaged"),
    "another packing": (zipped(GOOD, method=zipfile.ZIP_BZIP2), "packed in a way"),
    "no ZIP": (b"hello", "not a ZIP"),
    "nothing": (b"", "not a ZIP"),
    "half a ZIP": (zipped(GOOD)[:-30], "not a ZIP"),
    "no skill": (zipped({"README.md": "x"}), "no SKILL.md"),
    "only bad skills": (zipped({"pack/bad/SKILL.md": "---\nno end"}), "pack/bad"),
    "an archive in the archive": (zipped({"one.skill": zipped(GOOD)}), "upload it by itself"),
    "a link out of its folder": (
        zipped({"one/SKILL.md": "../../x"}, mode={"one/SKILL.md": stat.S_IFLNK | 0o777}), "link"),
}


def named_in_utf8_without_saying_so() -> bytes:
    """As older archivers of macOS do: composed of letters and marks, in UTF-8, with no flag for it."""
    content = bytearray(zipped({"Größe/SKILL.md": skill_md("size"), "Größe/é.md": "E."}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := content.find(mark, place + 1)) >= 0:
            content[place + at:place + at + 2] = struct.pack("<H", 0)
    return bytes(content)


def zip64() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in GOOD.items():
            with archive.open(path, "w", force_zip64=True) as file:
                file.write(content.encode() if isinstance(content, str) else content)
        archive.comment = b"made by hand, PK\x01\x02 " * 100
    return out.getvalue()


WINDOWS = {path.replace("/", "\\"): content for path, content in GOOD.items()}
TAKEN: dict[str, tuple[bytes, list[str], list[str], dict[str, str]]] = {
    "from Windows": (zipped(WINDOWS), ["one", "two"], ["references/a.md"], {}),
    "with a dot first": (zipped({f"./{path}": text for path, text in GOOD.items()}), ["one", "two"],
                         ["references/a.md"], {}),
    "with zip64 and a comment": (zip64(), ["one", "two"], ["references/a.md"], {}),
    "stored": (zipped(GOOD, method=zipfile.ZIP_STORED), ["one", "two"], ["references/a.md"], {}),
    "names in UTF-8": (named_in_utf8_without_saying_so(), ["size"], ["é.md"], {}),
    "names of letters and marks": (
        zipped({"x/SKILL.md": skill_md("x"), "x/e\u0301.md": "E."}), ["x"], ["é.md"], {}),
    "noise of systems": (
        zipped({"x/SKILL.md": skill_md("x"), "x/._SKILL.md": b"\0", "x/desktop.ini": "", "Thumbs.db": ""}),
        ["x"], [], {}),
    "a bad skill": (zipped(GOOD | {"pack/bad/SKILL.md": "---\nno end"}), ["one", "two"], ["references/a.md"],
                    {"pack/bad": "does not end"}),
    "a name twice": (
        zipped({"a/one/SKILL.md": skill_md("one"), "b/one/SKILL.md": skill_md("one", body="Other.")}),
        ["b-one", "one"], [], {}),
    "an archive beside": (zipped(GOOD | {"old.zip": zipped(GOOD)}), ["one", "two"], ["references/a.md"],
                          {"old.zip": "upload it by itself"}),
    "a link inside": (
        zipped(GOOD | {"pack/one/l.md": "references/a.md"}, mode={"pack/one/l.md": stat.S_IFLNK | 0o777}),
        ["one", "two"], ["l.md", "references/a.md"], {}),
    "a skill that can run": (
        zipped({"x/SKILL.md": skill_md("x"), "x/scripts/a.sh": "true"}, mode={"x/scripts/a.sh": stat.S_IFREG | 0o755}),
        ["x"], ["scripts/a.sh"], {}),
    "large files beside": (zipped(GOOD | {"film.mp4": NOISE * 60, "much.bin": bytes(2**21)}), ["one", "two"],
                           ["references/a.md"], {}),
    "many skills": (zipped({f"s{n:03}/SKILL.md": skill_md(f"s{n:03}") for n in range(230)}),
                    [f"s{n:03}" for n in range(230)], [], {}),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_an_archive_is_taken_as_people_make_it(client: Client, name: str) -> None:
    content, skills, files, problems = TAKEN[name]

    answer = await upload(client, content, {"Content-Type": "application/octet-stream"})

    done = answer.json()
    assert (answer.status, sorted(done["added"])) == (200, skills), answer.body
    told = {one["path"]: " ".join(one["problems"]) for one in done["problems"]}
    assert set(told) == set(problems)
    assert all(words in told[path] for path, words in problems.items())
    first = (await client.get(f"/api/skills/{done['items'][0]['id']}")).json()
    assert [file["path"] for file in first["files"]] == files


ODD = ("\ufeff---\r\nname: Odd One\r\n# why not\r\ndescription:   'Says: hi'\r\nrequires: [gh,   \"jq\"]\r\n"
       "made: 2024-01-31\r\n---\r\nDo it.\r\n")


async def test_what_came_leaves_byte_for_byte(client: Client) -> None:
    done = (await upload(client, zipped({"x/SKILL.md": ODD.encode(), "x/a.bin": NOISE}))).json()
    skill = done["items"][0]
    assert (skill["name"], skill["skill_metadata"]["fields"]["made"]) == ("odd-one", "2024-01-31")

    answer = await client.get(f"/api/skills/{skill['id']}/download")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "odd-one/SKILL.md": ODD.encode(), "odd-one/a.bin": NOISE}
    again = (await upload(client, answer.body)).json()
    assert (again["unchanged"], again["updated"]) == (["odd-one"], [])
    edited = (await client.put(f"/api/skills/{skill['id']}", json={"description": "Says: ho"})).json()
    assert edited["front_matter"].splitlines() == [
        "name: Odd One", "# why not", "description: 'Says: ho'", 'requires: [gh,   "jq"]', "made: 2024-01-31"]


async def test_a_second_save_does_not_silently_win(client: Client) -> None:
    skill = (await upload(client, zipped(GOOD))).json()["items"][0]
    at = f"/api/skills/{skill['id']}"
    seen = (await client.get(at)).headers["ETag"]

    first = await client.put(at, json={"content": "Mine."}, headers={"If-Match": seen})
    second = await client.put(at, json={"content": "Theirs."}, headers={"If-Match": seen})
    switched = await client.put(at, json={"is_active": False}, headers={"If-Match": seen})

    assert (first.status, second.status, second.code, switched.status) == (200, 412, "stale_edit", 412)
    assert second.json()["current"]["content"] == "Mine."
    assert first.headers["ETag"] == (await client.get(at)).headers["ETag"] != seen
    again = await client.put(at, json={"content": "Theirs."}, headers={"If-Match": first.headers["ETag"]})
    assert again.status == 200


async def test_a_file_that_is_too_large_costs_itself(client: Client) -> None:
    done = (await upload(client, zipped(GOOD | {"pack/one/a.bin": bytes(range(256)) * 5_000}))).json()
    assert done["added"] == ["one", "two"]
    assert [one["path"] for one in done["items"][0]["left_out"]] == ["a.bin"]
    assert [skill["verdict"] for skill in done["items"]] == ["usable", "conforms"]


@pytest.mark.parametrize("name", HOSTILE)
async def test_an_archive_that_means_harm_is_refused_whole(client: Client, database: Database, name: str) -> None:
    content, named = HOSTILE[name]

    answer = await upload(client, content)

    assert (answer.status, answer.code) in {(422, "archive_refused"), (422, "skill_invalid")}
    assert named in answer.json()["detail"]
    assert await stored(database, client) == NOTHING


async def test_the_body_is_the_zip_itself_and_bounded(client: Client, database: Database) -> None:
    form = await upload(client, b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"})
    assert (form.status, form.code) == (415, "not_an_archive")
    large = await upload(client, bytes(11 * 2**20))
    assert (large.status, large.code) == (413, "body_too_large")
    stranger = Client(client.http, client.workspace_id)
    assert (await upload(stranger, zipped(GOOD))).status == 401
    assert await stored(database, client) == NOTHING


async def test_a_name_from_elsewhere_is_not_taken_over(client: Client) -> None:
    await client.post("/api/skills", json={"name": "two", "description": "Mine.", "content": "Mine."})
    answer = await upload(client, zipped(GOOD))
    assert (answer.status, answer.code, answer.json()["names"]) == (409, "skill_name_taken", ["two"])
    assert [skill["name"] for skill in (await client.get("/api/skills?source=upload")).json()["items"]] == []


async def test_files_can_be_checked_without_being_stored(client: Client, database: Database) -> None:
    files = [{"path": "one/SKILL.md", "content": skill_md("one")}, {"path": "one/a.md", "content": "x"},
             {"path": "two/SKILL.md", "content": skill_md("three")}]

    told = (await client.post("/api/skills/validate", json={"files": files})).json()

    assert (told["is_valid"], told["total"]) == (False, 2)
    one, two = told["items"]
    assert (one["path"], one["name"], one["files"], one["problems"]) == ("one", "one", ["a.md"], [])
    assert "folder" in two["problems"][0]
    assert (one["verdict"], two["verdict"], two["notes"], told["is_usable"]) == (
        "conforms", "usable", two["problems"], True)
    empty = (await client.post("/api/skills/validate", json={"files": [{"path": "a", "content": ""}]})).json()
    assert (empty["is_valid"], empty["items"][0]["problems"]) == (False, ["There is no SKILL.md among the files."])
    assert await stored(database, client) == NOTHING


def renamed(content: bytes, name: bytes) -> bytes:
    """Return an archive whose entry `xxxx` has another name of as many bytes, in both of its places."""
    return content.replace(b"xxxx", name)


@pytest.mark.parametrize("name", [b"\0abc", b"\0\0\0\0", b"././", b"....", b"\\abc", b"/abc"])
def test_an_entry_without_a_name_of_its_own_is_refused_or_no_file(name: bytes) -> None:
    made = renamed(archive([("xxxx", b"x"), ("s/SKILL.md", b"---\nname: s\ndescription: d\n---\n")]), name)
    with suppress(ArchiveRefused):
        assert set(read_archive(made).files) == {"s/SKILL.md"}


@pytest.mark.parametrize("offset", [1, 40, 10_000, 2**32 - 2])
def test_an_entry_whose_bytes_lie_elsewhere_is_refused(offset: int) -> None:
    made = bytearray(archive([("s/SKILL.md", b"---\nname: s\ndescription: d\n---\n")]))
    listed = made.rfind(b"PK\x01\x02")
    made[listed + 42:listed + 46] = offset.to_bytes(4, "little")
    with pytest.raises(ArchiveRefused):
        read_archive(bytes(made))
