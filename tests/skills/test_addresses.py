"""Addresses as people copy them: which repository, branch, commit and folder each one means."""

import pytest

from automatos.skills.errors import GitRefused
from automatos.skills.git.address import read_address
from tests.fakes.git_server import GitServer, Repository
from tests.skills.conftest import add_source, folder
from tests.surface import Client

SHA = "0123456789abcdef0123456789abcdef01234567"
MEANT = {
    "https://github.com/acme/skills": ("https://github.com/acme/skills", "", None, ""),
    "https://github.com/acme/skills.git": ("https://github.com/acme/skills.git", "", None, ""),
    "https://github.com/acme/skills/": ("https://github.com/acme/skills", "", None, ""),
    "  https://github.com/acme/skills  ": ("https://github.com/acme/skills", "", None, ""),
    "github.com/acme/skills": ("https://github.com/acme/skills", "", None, ""),
    "www.github.com/acme/skills": ("https://github.com/acme/skills", "", None, ""),
    "http://github.com/acme/skills": ("https://github.com/acme/skills", "", None, ""),
    "https://www.github.com/acme/skills?tab=readme-ov-file#use": ("https://github.com/acme/skills", "", None, ""),
    "https://github.com/acme/skills/tree/main": ("https://github.com/acme/skills", "main", None, ""),
    "https://github.com/acme/skills/tree/main/tools/pdf": (
        "https://github.com/acme/skills", "main/tools/pdf", None, ""),
    "https://github.com/acme/skills/tree/main/my%20tools": (
        "https://github.com/acme/skills", "main/my tools", None, ""),
    "https://github.com/acme/skills/blob/main/tools/pdf/SKILL.md?plain=1#L3": (
        "https://github.com/acme/skills", "main/tools/pdf", None, ""),
    "https://github.com/acme/skills/blob/main/SKILL.md": ("https://github.com/acme/skills", "main", None, ""),
    f"https://github.com/acme/skills/tree/{SHA}/tools": ("https://github.com/acme/skills", "", SHA, "tools"),
    f"https://github.com/acme/skills/commit/{SHA}": ("https://github.com/acme/skills", "", SHA, ""),
    "https://github.com/acme/skills/releases/tag/v1.0": ("https://github.com/acme/skills", "v1.0", None, ""),
    "https://github.com/acme/skills/issues/3": ("https://github.com/acme/skills", "", None, ""),
    "https://raw.githubusercontent.com/acme/skills/main/pdf/SKILL.md": (
        "https://github.com/acme/skills", "main/pdf", None, ""),
    "https://git.acme.dev/acme/skills/tree/main/pdf": ("https://git.acme.dev/acme/skills", "main/pdf", None, ""),
    "https://gitlab.com/acme/deep/skills/-/tree/main/pdf?ref_type=heads": (
        "https://gitlab.com/acme/deep/skills", "main/pdf", None, ""),
    "https://gitlab.acme.dev/acme/skills/-/blob/v1/pdf/SKILL.md": (
        "https://gitlab.acme.dev/acme/skills", "v1/pdf", None, ""),
    f"https://gitlab.com/acme/skills/-/commit/{SHA}": ("https://gitlab.com/acme/skills", "", SHA, ""),
    "https://gitlab.com/acme/skills/-/issues": ("https://gitlab.com/acme/skills", "", None, ""),
    "https://bitbucket.org/acme/skills/src/main/pdf/": ("https://bitbucket.org/acme/skills", "main/pdf", None, ""),
    "https://ada@bitbucket.org/acme/skills.git": ("https://bitbucket.org/acme/skills.git", "", None, ""),
    "https://codeberg.org/acme/skills/src/branch/main/pdf": ("https://codeberg.org/acme/skills", "main/pdf", None, ""),
    "https://git.acme.dev/acme/skills/src/tag/v1/pdf/SKILL.md": (
        "https://git.acme.dev/acme/skills", "v1/pdf", None, ""),
    f"https://codeberg.org/acme/skills/src/commit/{SHA}/pdf": ("https://codeberg.org/acme/skills", "", SHA, "pdf"),
    "https://acme@dev.azure.com/acme/My%20Project/_git/skills?path=/pdf&version=GBmain": (
        "https://dev.azure.com/acme/My%20Project/_git/skills", "main/pdf", None, ""),
    "https://git.sr.ht/~ada/skills/tree/main/item/pdf/SKILL.md": (
        "https://git.sr.ht/~ada/skills", "main/pdf", None, ""),
    "git@github.com:acme/skills.git": ("https://github.com/acme/skills.git", "", None, ""),
    "ssh://git@git.acme.dev/acme/skills": ("https://git.acme.dev/acme/skills", "", None, ""),
    "https://git.acme.dev:8443/acme/skills.git": ("https://git.acme.dev:8443/acme/skills.git", "", None, ""),
}


@pytest.mark.parametrize("text", MEANT)
def test_what_an_address_means(text: str) -> None:
    found = read_address(text, allow_private=False)
    assert (str(found.url), found.tail, found.commit, found.folder) == MEANT[text]


@pytest.mark.parametrize("text", [
    "https://ada:secret@github.com/acme/skills", "https://ada@git.acme.dev/acme/skills", "http://git.acme.dev/a/b",
    "https://github.com/acme/skills/tree/0123456789abcdef0123456789abcdef01234567/../../x", "github.com",
    "https://10.0.0.1/acme/skills/tree/main", "git@10.0.0.1:acme/skills", "https://github.com/a/b\n", "ftp://github.com/a/b",
])
def test_what_is_refused_stays_refused(text: str) -> None:
    with pytest.raises(GitRefused) as caught:
        read_address(text, allow_private=False)
    assert "secret" not in str(caught.value.detail)


def test_a_changed_address_is_told() -> None:
    assert "ssh" in read_address("git@github.com:acme/skills", allow_private=False).notes[0]
    assert "left out" in read_address("https://git.acme.dev/a/b?x=1", allow_private=False).notes[0]
    assert read_address("https://github.com/acme/skills", allow_private=False).notes == ()


@pytest.mark.parametrize(("page", "branch", "where", "added"), [
    ("tree/main", "main", "", ["one", "three", "two"]), ("tree/main/skills/two", "main", "skills/two", ["two"]),
    ("tree/feature/x/skills", "feature/x", "skills", ["wip"]), ("tree/feature/x", "feature/x", "", ["wip"]),
    ("blob/v1/skills/one/SKILL.md", "v1", "skills/one", ["one"]),
    ("-/tree/main/skills", "main", "skills", ["one", "two"]),
])
@pytest.mark.parametrize("version", [0, 2])
async def test_branch_and_folder_come_from_the_page(
    admin: Client, repository: Repository, git_server: GitServer, page: str, branch: str, where: str, added: list[str],
    version: int,
) -> None:
    tagged = repository.commit(folder("one"))
    repository.tag("v1", tagged)
    repository.commit(folder("one") | folder("two") | {"other/three/SKILL.md": "Third."})
    repository.commit(folder("wip"), branch="feature/x")
    repository.version = version

    answer = await add_source(admin, f"{git_server.url}/acme/skills/{page}")

    done = answer.json()
    assert answer.status == 201, answer.body
    assert sorted(done["added"]) == added
    source = done["source"]
    assert (source["git_url"], source["git_branch"], source["git_folder"]) == (
        f"{git_server.url}/acme/skills", branch, where)
    synced = (await admin.post(f"/api/skills/sources/{source['id']}/sync")).json()
    assert sorted(synced["unchanged"]) == added


async def test_a_page_of_a_branch_that_is_not_there_says_so(
    admin: Client, repository: Repository, git_server: GitServer
) -> None:
    repository.commit(folder("one"))
    answer = await add_source(admin, f"{git_server.url}/acme/skills/tree/nope/skills")
    assert (answer.status, answer.code) == (502, "git_unreachable")
    assert "'nope/skills' begins with" in answer.json()["detail"]
    gone = await add_source(admin, f"{git_server.url}/acme/skills/tree/main/nowhere")
    assert (gone.status, "no folder 'nowhere'" in gone.json()["detail"]) == (422, True)
    none = await add_source(admin, git_server.url_of("acme/skills"), git_folder="../x")
    assert (none.status, none.code) == (422, "git_refused")
