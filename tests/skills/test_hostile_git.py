"""Repositories that mean harm are refused with the reason, and leave nothing behind: no row, no file, no process."""

import asyncio
import hashlib
import socket
import zlib
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from tests.fakes.git_server import (
    BLOB,
    COMMIT,
    FILE,
    LINK,
    SUBMODULE,
    TREE,
    Content,
    GitServer,
    Repository,
    entry,
    packed,
)
from tests.skills.conftest import NOTHING, add_source, folder, skill_md, stored
from tests.surface import Client

Spoil = Callable[[Repository], object]
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"


def files_under(home: Path) -> set[str]:
    return {str(path) for path in home.rglob("*")}


def with_name(name: str) -> Spoil:
    """A commit whose skill has a file of that name, as no git program would write it."""

    def spoil(repository: Repository) -> None:
        blob = repository.add(BLOB, skill_md("evil").encode())
        inner = repository.tree({"SKILL.md": (FILE, blob), name: (FILE, blob)})
        repository.commit({}, root=repository.tree({"evil": ("40000", inner)}))

    return spoil


def bottomless(repository: Repository) -> None:
    """Folders that hold each other many times over: few objects, endless paths."""
    inner = repository.tree({"SKILL.md": (FILE, repository.add(BLOB, skill_md("evil").encode()))})
    for _ in range(20):
        inner = repository.tree({f"f{place}": ("40000", inner) for place in range(10)})
    repository.commit({}, root=inner)


def spoiled_pack(change: Callable[[Repository, str], bytes]) -> Spoil:
    def spoil(repository: Repository) -> None:
        commit = repository.commit(folder("evil"))
        repository.pack = change(repository, commit)

    return spoil


def damaged(repository: Repository, commit: str) -> bytes:
    whole = repository.whole_pack(commit)
    return whole[:40] + bytes([whole[40] ^ 255]) + whole[41:]


def bomb(repository: Repository, commit: str) -> bytes:
    return packed([entry(BLOB, b"\0" * 11_000_000), entry(*repository.objects[commit])])


def many_bombs(repository: Repository, commit: str) -> bytes:
    bombs = [entry(BLOB, bytes([place]) * 9_000_000) for place in range(10)]
    return packed([*bombs, entry(*repository.objects[commit])])


def lying(repository: Repository, commit: str) -> bytes:
    del repository, commit
    return packed([entry(BLOB, b"\0" * 5_000_000, claims=10)])


def other_commit(repository: Repository, commit: str) -> bytes:
    del commit
    tree = repository.tree({})
    return packed([entry(COMMIT, f"tree {tree}\n".encode()), entry(TREE, b"")])


def delta_bomb(repository: Repository, commit: str) -> bytes:
    """A few bytes of changes that copy one object over and over."""
    del repository, commit
    base = b"x" * 65_535
    claimed = 65_535 * 5_000
    size = bytearray()
    left = claimed
    while left >= 128:
        size.append(left & 127 | 128)
        left >>= 7
    size.append(left)
    changes = b"\xff\xff\x03" + bytes(size) + b"\xb0\xff\xff" * 5_000
    name = hashlib.sha1(b"blob %d\0" % len(base) + base).digest()
    header = bytes([0x70 | (len(changes) & 15) | 128, len(changes) >> 4 & 127 | 128, len(changes) >> 11])
    return packed([entry(BLOB, base), header + name + zlib.compress(changes)])


def many_of_the_same(repository: Repository) -> None:
    """A small pack that would fill the database: many skills, each with the same few large files."""
    beside = {f"assets/{place}": b"x" * 2**20 for place in range(9)}
    repository.commit({path: content for place in range(12) for path, content in folder(f"s{place}", beside).items()})


LEFT_OUT: dict[str, tuple[Content, str]] = {
    "a link to the host": ((LINK, b"/etc/passwd"), "leads out"),
    "a link upwards": ((LINK, b"../../../x"), "leads out"),
    "a link to nothing": ((LINK, b"b"), "not a file"),
    "a link to itself": ((LINK, b"a"), "over more than"),
    "a link to a folder": ((LINK, b".."), "not a file"),
    "a link that is a book": ((LINK, b"x/" * 400), "leads out"),
    "a submodule": ((SUBMODULE, b"a" * 40), "submodule"),
    "a file kept elsewhere": (LFS, "Git LFS"),
    "a huge file": (bytes(11 * 2**20), "larger than"),
    "a file over 1 MB": ("x" * (2**20 + 1), "larger than"),
    "an odd mode": (("060000", b"x"), "neither a file"),
}


CONTENTS: dict[str, tuple[Spoil, str]] = {
    "a link as the skill itself": (
        lambda r: r.commit({"evil/SKILL.md": (LINK, b"/proc/self/environ")}), "leads out"),
    "a skill kept elsewhere": (lambda r: r.commit({"evil/SKILL.md": LFS}), "Git LFS"),
    "too many files": (lambda r: r.commit(folder("evil", {f"f{n}": "x" for n in range(501)})), "500"),
    "a folder called ..": (with_name(".."), "refused"),
    "a file called ../x": (with_name("../x"), "slash"),
    "a .git folder": (with_name(".git"), ".git"),
    "a .GIT folder": (with_name(".GIT"), ".git"),
    "a backslash": (with_name("a\\b"), "backslash"),
    "a line break": (with_name("a\nb"), "control"),
    "a name that nobody sees whole": (with_name("a\u200b.md"), "cannot see"),
    "an escaped way out": (with_name("%2e%2e"), "leads out"),
    "two names that look alike": (
        lambda r: r.commit(folder("evil", {"e\u0301.md": "a", "\u00e9.md": "b"})), "cannot tell"),
    "endless folders": (bottomless, "more than"),
    "the same files over and over": (many_of_the_same, "together"),
    "no skill": (lambda r: r.commit({"README.md": "hello"}), "no SKILL.md"),
    "a skill that is none": (lambda r: r.commit({"evil/SKILL.md": "---\nname: x\n"}), "front matter"),
    "YAML that builds objects": (
        lambda r: r.commit({"evil/SKILL.md": skill_md("evil", "!!python/object/apply:os.system [id]")}), "tag"),
    "YAML that grows": (lambda r: r.commit({"evil/SKILL.md": "---\nname: evil\nx: &a [1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"x{n}: &a [*a, *a, *a, *a, *a, *a, *a]\n" for n in range(9)) + "---\n"}), "anchor"),
    "a damaged pack": (spoiled_pack(damaged), "damaged"),
    "a bomb": (spoiled_pack(bomb), "bytes"),
    "many bombs": (spoiled_pack(many_bombs), "larger than"),
    "a lie about a size": (spoiled_pack(lying), "as long as"),
    "a bomb of changes": (spoiled_pack(delta_bomb), "bytes"),
    "another commit": (spoiled_pack(other_commit), "commit that was asked for"),
    "no pack": (spoiled_pack(lambda *_: b"rm -rf"), "not a pack"),
    "a pack that lies about its objects": (
        spoiled_pack(lambda r, c: packed([entry(*r.objects[c])], count=3)), "ends too early"),
    "a pack of too many objects": (
        spoiled_pack(lambda r, c: packed([entry(*r.objects[c])], count=10**6)), "objects"),
}


def redirecting(location: str) -> Callable[[web.Request], web.StreamResponse]:
    return lambda _: web.Response(status=302, headers={"Location": location})


ANSWERS: dict[str, tuple[str, Callable[[web.Request], web.StreamResponse], str]] = {
    "a redirect to the cloud's own service": (
        "info/refs", redirecting("http://169.254.169.254/latest/meta-data"), "redirect"),
    "a redirect to this machine": ("info/refs", redirecting("http://127.0.0.1:22/x"), "redirect"),
    "a redirect of the pack": ("git-upload-pack", redirecting("file:///etc/passwd"), "redirect"),
    "not found": ("info/refs", lambda _: web.Response(status=404), "no such repository"),
    "private": ("info/refs", lambda _: web.Response(status=401), "private"),
    "an error": ("info/refs", lambda _: web.Response(status=500), "500"),
    "a web page": ("info/refs", lambda _: web.Response(text="<html>", content_type="text/html"), "not a git server"),
    "a pack as a web page": ("git-upload-pack", lambda _: web.Response(text="x"), "not a git server"),
    "nonsense": ("info/refs", lambda _: web.Response(
        body=b"zzzz", content_type="application/x-git-upload-pack-advertisement"), "length"),
    "another service": ("info/refs", lambda _: web.Response(
        body=b"001f# service=git-receive-pack\n", content_type="application/x-git-upload-pack-advertisement"),
        "git-upload-pack"),
    "a flood of names": ("info/refs", lambda _: web.Response(
        body=b"0" * (17 * 2**20), content_type="application/x-git-upload-pack-advertisement"), "more than"),
    "a flood of data": ("git-upload-pack", lambda _: web.Response(
        body=b"0" * (65 * 2**20), content_type="application/x-git-upload-pack-result"), "more than"),
    "a redirect to a place that is no repository": (
        "info/refs", redirecting("https://example.org/login?next=/info/refs"), "redirect"),
    "a page that wants a browser": ("info/refs", lambda _: web.Response(
        status=403, text="<html>", content_type="text/html", headers={"cf-mitigated": "challenge"}), "challenge"),
    "a squeezed answer": ("git-upload-pack", lambda _: web.Response(
        body=zlib.compress(b"0" * 10**6), headers={"Content-Encoding": "deflate"},
        content_type="application/x-git-upload-pack-result"), "compressed"),
    "what the server says is wrong": ("git-upload-pack", lambda _: web.Response(
        body=b"0010\x03not allowed", content_type="application/x-git-upload-pack-result"), "not allowed"),
    "a line of nothing": ("git-upload-pack", lambda _: web.Response(
        body=b"0004", content_type="application/x-git-upload-pack-result"), "not a pack"),
}


def programs() -> list[psutil.Process]:
    """What this process started, but for its own processes that read bytes and start nothing."""
    return [child for child in psutil.Process().children(recursive=True)
            if "automatos.kernel.confined_child" not in child.cmdline()]


async def refused(
    admin: Client, git_url: str, database: Database, settings: Settings, named: str, **fields: object
) -> None:
    """Adding the source is refused for that reason, and nothing of it is anywhere."""
    before, children = files_under(settings.home), programs()

    answer = await add_source(admin, git_url, **fields)

    assert (answer.status, answer.code) in {
        (422, "git_refused"), (422, "skill_invalid"), (502, "git_unreachable")}, answer.body
    assert named in answer.json()["detail"]
    assert await stored(database, admin) == NOTHING
    assert (await admin.get("/api/skills/sources")).json()["total"] == 0
    assert files_under(settings.home) == before
    assert programs() == children


@pytest.mark.capability("S058")
@pytest.mark.parametrize("name", CONTENTS)
async def test_what_a_repository_must_not_hold(
    admin: Client, repository: Repository, git_url: str, database: Database, settings: Settings, name: str
) -> None:
    spoil, named = CONTENTS[name]
    spoil(repository)
    await refused(admin, git_url, database, settings, named)


@pytest.mark.capability("S058")
@pytest.mark.parametrize("name", LEFT_OUT)
async def test_a_file_that_cannot_be_had_costs_itself(
    admin: Client, repository: Repository, git_url: str, database: Database, name: str
) -> None:
    content, named = LEFT_OUT[name]
    repository.commit(folder("evil", {"a": content, "b.md": "B."} if name != "a link to nothing" else {"a": content})
                      | folder("good"))

    done = (await add_source(admin, git_url)).json()

    assert (done["added"], done["problems"]) == (["evil", "good"], [])
    evil, good = done["skills"]
    assert (evil["verdict"], good["verdict"], [one["path"] for one in evil["left_out"]]) == (
        "usable", "conforms", ["a"])
    assert named in evil["left_out"][0]["reason"]
    assert any("skills/evil/a" in note and named in note for note in done["source"]["last_sync_notes"])
    files = (await admin.get(f"/api/skills/{evil['id']}")).json()["files"]
    assert "a" not in [file["path"] for file in files]
    assert (await stored(database, admin))["skill_files"] == len(files)


async def test_a_link_is_read_as_the_file_of_the_repository_it_leads_to(
    admin: Client, repository: Repository, git_url: str
) -> None:
    repository.commit(
        folder("one", {"a.md": (LINK, b"b.md"), "b.md": (LINK, b"../../shared/c.md"),
                       "n.md": (LINK, b"../two/SKILL.md")})
        | folder("two") | {"shared/c.md": "Shared."})
    skill = (await add_source(admin, git_url)).json()["skills"][0]
    assert (skill["verdict"], skill["left_out"]) == ("conforms", [])
    for path, content in (("a.md", "Shared."), ("b.md", "Shared."), ("n.md", skill_md("two"))):
        read = await admin.get(f"/api/skills/{skill['id']}/content?level=3&resource_path={path}")
        assert read.json()["content"] == content


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_a_server_must_not_answer(
    admin: Client, repository: Repository, git_url: str, database: Database, settings: Settings,
    git_server: GitServer, name: str,
) -> None:
    path, answer, named = ANSWERS[name]
    repository.commit(folder("evil"))
    repository.answers[path] = answer
    await refused(admin, git_url, database, settings, named)
    assert len(git_server.asked) <= 2


async def test_what_a_server_says_is_kept_as_plain_text(
    admin: Client, repository: Repository, git_url: str
) -> None:
    repository.commit(folder("one"))
    source = (await add_source(admin, git_url)).json()["source"]
    repository.commit(folder("two"))
    repository.answers["git-upload-pack"] = lambda _: web.Response(
        body=b"000d\x03no\x00\x1b[31m", content_type="application/x-git-upload-pack-result")

    answer = await admin.post(f"/api/skills/sources/{source['id']}/sync")

    assert (answer.status, answer.code) == (502, "git_unreachable")
    kept = (await admin.get(f"/api/skills/sources/{source['id']}")).json()
    assert (kept["status"], kept["last_sync_error"]) == ("error", answer.json()["detail"])
    assert kept["last_sync_error"].isprintable()


@pytest.mark.parametrize("url", [
    "ext::sh -c touch% /tmp/owned", "ext::https://example.org/x", "file:///etc", "/etc/passwd", "git://example.org/x",
    "ssh://git@example.org:22/x/y", "ssh://bob@example.org/x", "http://example.org/x", "https://user:pass@example.org/x",
    "https://user@example.org/x", "https://token:@example.org/x", "--upload-pack=touch /tmp/x", "-x", "https://",
    "https://example.org", "https://example.org/", "https://example.org/?y=1", "https://example.org/x\t",
    "https://github.com/a/b/tree/main/../../x", "https://github.com/a/b/tree/main/%2e%2e/x",
    "https://example.org/../x", "https://example.org/%2e%2e/x", "https://exa mple.org/x", "https://example.org/x\n",
    "https://[::1", "https://example.org:99999/x", "javascript:alert(1)", "https://exämple.org/x",
])
async def test_only_plain_https_addresses_are_read(
    client: Client, database: Database, settings: Settings, url: str
) -> None:
    await refused(client, url, database, settings, "git_url")


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[fe80::1]",
    "[fd00::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "metadata.google.internal",
])
async def test_private_addresses_are_not_reached(
    client: Client, database: Database, settings: Settings, git_server: GitServer, host: str
) -> None:
    git_server.asked.clear()
    answer = await add_source(client, f"https://{host}:{git_server.url.rpartition(':')[2]}/acme/skills.git")
    assert answer.code in {"git_refused", "git_unreachable"}
    assert git_server.asked == []
    assert await stored(database, client) == NOTHING


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]"])
async def test_link_local_addresses_are_not_reached_even_where_private_ones_are(
    admin: Client, database: Database, host: str
) -> None:
    assert (await add_source(admin, f"https://{host}/latest/meta-data")).code == "git_refused"
    assert await stored(database, admin) == NOTHING


@pytest.mark.parametrize("branch", [
    "-x", "--upload-pack=x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "/a", "a/", "a//b", "a.",
    "a.lock", ".a", "a/.b", "@", "a@{1}", "a\tb", "a\x7fb",
])
async def test_only_names_that_git_gives_are_branches(
    admin: Client, git_url: str, repository: Repository, database: Database, settings: Settings, branch: str,
    git_server: GitServer,
) -> None:
    repository.commit(folder("one"))
    await refused(admin, git_url, database, settings, "branch", branch=branch)
    assert git_server.asked == []


async def test_a_server_that_says_nothing_is_given_up(
    admin: Client, git_url: str, repository: Repository, database: Database, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("automatos.skills.git.fetch.MAX_TIME_S", 0.2)
    repository.commit(folder("one"))
    repository.delay_s = 5
    await refused(admin, git_url, database, settings, "did not finish")


async def test_a_name_that_leads_to_this_machine_is_refused_at_the_connection(
    client: Client, services: Services, git_server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    del services
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def resolve(host: str, port: int, **options: object) -> object:
        if host == "rebound.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        return await real(host, port, **options)

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    git_server.asked.clear()
    answer = await add_source(client, f"https://rebound.example:{git_server.url.rpartition(':')[2]}/acme/skills.git")
    assert (answer.status, answer.code) == (422, "git_refused")
    assert git_server.asked == []
