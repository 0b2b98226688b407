"""The skills of one commit out of the packs that a server sent; pure work on bytes, done in a process of its own.

It is asked again with one pack more until nothing is missing, and keeps nothing between: what was unpacked never
travels back to the server, only the files of skills do.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from automatos.kernel.confined import comes_back
from automatos.skills.errors import GitRefused
from automatos.skills.git import packets, trees
from automatos.skills.git.packs import Stored, unpack


@comes_back
@dataclass(frozen=True, slots=True)
class Read:
    """What the packs hold: the skills' files, or the names of objects that must be fetched before.

    `large` are objects too large for a skill.
    """

    commit_sha: str
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    missing: tuple[str, ...] = ()
    large: frozenset[str] = frozenset()


def read_commit(
    answers: Sequence[bytes], wanted: str, folder: str, *, asked: Set[str] = frozenset(), large: Set[str] = frozenset(),
    may_ask: bool = False,
) -> Read:
    """Return the skills of the commit that a name stands for.

    `asked` are objects that were fetched by their names: one that did not come counts as too large. With `may_ask`
    objects that are still missing are named instead.

    Raises:
        GitRefused: a pack is damaged, holds too much or takes too much work, or lacks the commit.
    """
    known, found = set(large), dict[str, Stored]()
    for answer in answers:
        found |= unpack(packets.read_pack(answer), known)
    known |= set(asked) - set(found)
    try:
        commit = trees.commit_behind(found, wanted)
        listing = trees.list_commit(found, commit, folder)
    except GitRefused as error:
        if not known:
            raise
        raise GitRefused(f"{error.detail} {len(known)} of its objects are larger than {trees.MAX_FILE_BYTES} bytes and "
                         "were not read.") from error
    missing = tuple(sorted(trees.wanted_files(found, listing) - known)) if may_ask else ()
    if missing:
        return Read(commit, missing=missing, large=frozenset(known))
    files, left_out = trees.skill_files(found, listing, known)
    return Read(commit, files, left_out, large=frozenset(known))
