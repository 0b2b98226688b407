"""Reading repositories: beside another implementation of git, over TLS, and packs as other programs write them."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dulwich.objects import Blob, Commit, Tree
from dulwich.pack import write_pack_objects
from dulwich.repo import MemoryRepo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

from automatos.kernel.http import Http
from automatos.skills.errors import GitUnreachable
from automatos.skills.git.fetch import GitReader
from automatos.skills.git.packs import unpack
from tests.skills.conftest import skill_md


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    opened = Http.open()
    yield opened
    await opened.close()


def committed(repo: MemoryRepo, body: str) -> bytes:
    """Commit one skill with two near-equal files, as another program writes it."""
    main = Blob.from_string(skill_md("review", body=body).encode())
    numbers = b"\n".join(b"%d" % number for number in range(2_000))
    texts = [Blob.from_string(b"line %d\n" % place * 400 + numbers) for place in (1, 2)]
    references, skill, root = Tree(), Tree(), Tree()
    for place, text in enumerate(texts):
        references.add(b"t%d.md" % place, 0o100644, text.id)
    skill.add(b"SKILL.md", 0o100644, main.id)
    skill.add(b"references", 0o040000, references.id)
    root.add(b"review", 0o040000, skill.id)
    commit = Commit()
    commit.tree = root.id
    commit.author = commit.committer = b"Ada <ada@example.org>"
    commit.author_time = commit.commit_time = 1_700_000_000
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"work"
    for one in (main, *texts, references, skill, root, commit):
        repo.object_store.add_object(one)
    repo.refs[b"refs/heads/main"] = commit.id
    repo.refs.set_symbolic_ref(b"HEAD", b"refs/heads/main")
    return commit.id


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine that nobody but the test trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return chain, secret


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, bytes, Path]]:
    """A repository behind dulwich's own git server, over TLS: its address, its commit, the certificate."""
    repo = MemoryRepo()
    commit = committed(repo, "Read it twice.")
    chain, secret = certificate(tmp_path)
    app = make_wsgi_chain(DictBackend({"/acme/skills.git": repo}))
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/acme/skills.git", commit, chain
    server.shutdown()
    server.server_close()
    thread.join()


async def test_another_git_server_is_read_over_tls(http: Http, served: tuple[str, bytes, Path]) -> None:
    url, commit, chain = served
    reader = GitReader(http, allow_private=True, tls=ssl.create_default_context(cafile=chain))

    by_default, by_name = await reader.read(url, None), await reader.read(url, "main")

    assert by_default == by_name
    assert by_default.commit_sha == commit.decode()
    assert set(by_default.files) == {"review/SKILL.md", "review/references/t0.md", "review/references/t1.md"}
    assert by_default.files["review/SKILL.md"] == skill_md("review", body="Read it twice.").encode()


async def test_a_certificate_nobody_vouches_for_is_not_accepted(http: Http, served: tuple[str, bytes, Path]) -> None:
    with pytest.raises(GitUnreachable, match="certificate"):
        await GitReader(http, allow_private=True).read(served[0], None)


@pytest.mark.parametrize("deltify", [False, True])
async def test_packs_of_another_program_are_read_whole(deltify: bool) -> None:
    repo = MemoryRepo()
    committed(repo, "Read it twice.")
    store = repo.object_store
    written = BytesIO()
    write_pack_objects(written.write, [(store[name], None) for name in store], repo.object_format, deltify=deltify)

    found = await asyncio.to_thread(unpack, written.getvalue())

    assert {name: stored.data for name, stored in found.items()} == {
        name.decode(): store[name].as_raw_string() for name in store}
