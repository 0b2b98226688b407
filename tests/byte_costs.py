"""Every function that takes other people's bytes, with inputs of any size that once were, or might be, dear to read.

Run as a program it measures them all, or those whose names hold its argument, and prints a line for each: processor
seconds for inputs of n, 2n and 4n bytes.
"""

import gc
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import orjson

from automatos.kernel.documents import DocumentInvalid, read_documents, read_json
from automatos.kernel.error_bodies import read_error
from automatos.kernel.errors import Problem
from automatos.kernel.remote_bytes import decode, read_page
from automatos.llm.providers.sse import EventReader, EventTooLong
from automatos.recipes.placeholders import find
from automatos.recipes.step_runner import fill
from automatos.skills.archive import read_archive
from automatos.skills.git.commits import read_commit
from automatos.skills.git.packets import read_advertisement, read_refs
from automatos.skills.git.packs import unpack
from automatos.skills.package import check_package, check_packages
from automatos.tools.errors import ToolRefused
from tests.byte_inputs import (
    Taker,
    archive,
    entry,
    many_skills,
    numbered,
    pack,
    pack_of_a_chain,
    pack_of_small_copies,
    packets,
    repeated,
)
from tests.byte_takers import takers_of_texts

LARGEST = 128_000
"""Sizes grow up to here until a call takes long enough to be measured; what is still quick then is quick."""
ENOUGH_S = 0.01
LIMIT_S = 30
"""What all measurements of one taker may take; one that takes more has no line."""
REFUSALS = (Problem, DocumentInvalid, EventTooLong, KeyError, ToolRefused)


def read_events(pieces: list[bytes]) -> None:
    reader = EventReader()
    for piece in pieces:
        reader.feed(piece)
    reader.close()


def page(content: bytes) -> object:
    return read_page(content, "utf-8")


def fill_found(template: bytes) -> object:
    text = template.decode()
    return fill(text, {found.name: "v" for found in find(text)})


def front(head: bytes) -> object:
    return check_package("s", {"SKILL.md": b"---\n" + head + b"\n---\nbody\n"})


def text(content: bytes) -> object:
    return read_documents(content.decode())


def takers() -> list[Taker]:
    """Return the list; the names of those that share a function tell the inputs apart."""
    pages = {
        "open tags": repeated("<a "), "quotes": repeated("<a b=\""), "comments": repeated("<!--"),
        "bangs": repeated("<!"),
        "questions": repeated("<?"), "brackets": repeated("<"), "attributes": lambda n: b"<p " + numbered("a{} ")(n),
        "equals": repeated("= ", "<p "), "nested": repeated("<div>"), "hidden": repeated("<nav><form>"),
        "closing": repeated("</nav>", "<form>" * 100), "scripts": repeated("<script>x</script "),
        "titles": repeated("<title></title>"), "references": repeated("&#9"), "one long reference": repeated("9", "&#"),
        "formatting": numbered("<font c={}><p>"), "tables": repeated("<table><tr><td>"), "ends": repeated("</p></b>"),
        "mixed quotes": repeated("<a x='\"' y=\"'"), "spaces": repeated(" \n"),
    }
    charsets = ("utf-8", "utf-16", "iso-8859-1", "windows-1252", "shift_jis", "gb18030", "euc-kr", "big5", "punycode",
                "idna", "utf-7", "unicode_escape", "nothing")
    streams: dict[str, Callable[[int], list[bytes]]] = {
        "short data lines": lambda n: [b"data:x\n" * (n // 7)], "single bytes": lambda n: [b"x"] * n,
        "carriage returns": lambda n: [b"\r"] * n, "data in pieces": lambda n: [b"data:x\n"] * (n // 7),
        "values side by side": lambda n: [b"data:{}\n"] * (n // 8), "names": lambda n: [b"event:x\n"] * (n // 8),
    }
    heads = {
        "keys": numbered("k{}: v\n"), "nested lists": repeated("[", "a: "), "aliases": numbered("a{}: &x{} 1\n".replace(
            "&x{}", "&x")), "long line": repeated("x"), "quotes": repeated("\"\\u0041", "a: "),
        "colons": repeated("a: "),
        "dashes": repeated("- "), "question marks": repeated("? "), "comments": repeated("# x\n"),
    }
    return [
        *(Taker(f"page, {name}", read_page, page, make) for name, make in pages.items()),
        *(Taker(f"characters, {name}", decode, lambda given, name=name: decode(given, name), repeated("-aé9"))
          for name in charsets),
        *(Taker(f"event stream, {name}", EventReader, read_events, make) for name, make in streams.items()),
        *(Taker(f"front matter, {name}", check_package, front, make) for name, make in heads.items()),
        *(Taker(f"document, {name}", read_documents, text, make) for name, make in heads.items()),
        Taker("JSON document, lists", read_json, lambda given: read_json(given.decode()),
              repeated("[1,2],", "[", "3]")),
        Taker("skills of a folder", check_packages, check_packages, many_skills),
        Taker("pack, small copies", unpack, unpack, pack_of_small_copies),
        Taker("pack, a chain", unpack, unpack, pack_of_a_chain),
        Taker("pack, small objects", unpack, unpack, lambda n: pack(entry(3, b"%d" % i) for i in range(n // 20))),
        Taker("commit without one", read_commit, lambda given: read_commit([given], "0" * 40, ""),
              lambda n: packets([b"packfile\n", *([b"\x01" + b"x" * 100] * (n // 105))])),
        Taker("git's advertisement", read_advertisement, read_advertisement,
              lambda n: packets(b"%040x refs/heads/b%d\n" % (i, i) for i in range(n // 60))),
        Taker("git's names", read_refs, read_refs, lambda n: packets(
            b"%040x refs/heads/b%d\n" % (i, i) for i in range(n // 60))),
        Taker("archive, many entries", read_archive, read_archive,
              lambda n: archive((f"s/f{i}", b"x") for i in range(min(n // 100, 15_000)))),
        Taker("archive, marks", read_archive, read_archive, repeated("PK\x01\x02")),
        Taker("archive, deep paths", read_archive, read_archive, lambda n: archive(
            ("d/" * (n // 40_000 + 1) + f"f{i}", b"x") for i in range(min(n // 400, 2_000)))),
        Taker("error body, braces", read_error, read_error,
              repeated("{\"a\":")),
        Taker("error body, titles", read_error, read_error, repeated("<title>")),
        *(Taker(f"placeholders, {name}", fill, fill_found, make) for name, make in {
            "braces": repeated("{"), "doubled": repeated("{{a}}"), "names": repeated("{a}"), "open": repeated("{a"),
            "backslashes": repeated("\\{a"), "one name": repeated("a", "{")}.items()),
        *takers_of_texts(),
    ]


def spent(taker: Taker, size: int, times: int = 2) -> float:
    """Return the least of some measurements of processor time; making the input does not count."""
    costs: list[float] = []
    given = taker.make(size)
    for _ in range(times):
        began = time.process_time()
        with suppress(*REFUSALS):
            taker.read(given)
        costs.append(time.process_time() - began)
    return min(costs)


def measure(taker: Taker) -> list[float]:
    """Return the cost of n, 2n and 4n, where n is large enough to be measured or the largest there is."""
    size = 1_000
    while size < LARGEST and spent(taker, size, 1) < ENOUGH_S:
        size *= 4
    return [spent(taker, size * times) for times in (1, 2, 4)]


def report(taker: Taker) -> None:
    """Measure a taker in a process of its own, which ends by itself when it takes too long, and print its line."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, resource.RLIM_INFINITY))
    gc.freeze()  # the collector would otherwise look through all that was imported, at one size and not at another
    costs = measure(taker)
    sys.stdout.write(orjson.dumps([taker.name, costs]).decode() + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for each in takers():
        if wanted in each.name:
            report(each)
