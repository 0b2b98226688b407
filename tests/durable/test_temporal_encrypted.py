"""The connection to Temporal, encrypted: who answers is judged by its certificate, and we by ours."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from automatos.durable.errors import EngineRefused
from automatos.durable.temporal.adapter import connect
from automatos.kernel.config import TemporalAddress
from tests.fakes.tls_front import LOOPBACK, Authority, TlsFront
from tests.temporal_server import NAMESPACE, TemporalServer


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def address(temporal_server: TemporalServer, authority: Authority) -> AsyncIterator[TemporalAddress]:
    """Where Temporal answers over TLS, with all that it is to be shown."""
    behind = int(temporal_server.address.target.rpartition(":")[2])
    certificate, key = authority.certify("client")
    async with TlsFront(authority, behind) as front:
        yield TemporalAddress(f"{LOOPBACK}:{front.port}", NAMESPACE, True, authority.file, certificate, key)


async def test_temporal_is_used_over_an_encrypted_connection(address: TemporalAddress) -> None:
    client = await connect(replace(address, api_key=SecretStr("sesame")))

    assert (client.namespace, client.api_key) == (NAMESPACE, "sesame")


async def test_a_temporal_that_another_authority_made_or_that_asks_for_a_certificate_is_refused(
    address: TemporalAddress, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    theirs, its_key = stranger.certify("other")
    for wrong in (replace(address, ca_file=stranger.file), replace(address, cert_file=None, key_file=None),
                  replace(address, cert_file=theirs, key_file=its_key), replace(address, ca_file=None),
                  replace(address, is_encrypted=False)):
        with pytest.raises(EngineRefused, match="No Temporal could be reached"):
            await connect(wrong)


@pytest.mark.parametrize("name", ["ca_file", "cert_file", "key_file"])
async def test_a_file_that_cannot_be_read_is_named(address: TemporalAddress, tmp_path: Path, name: str) -> None:
    with pytest.raises(EngineRefused, match=r"could not be read from .*missing\.pem \(No such file"):
        await connect(replace(address, **{name: tmp_path / "missing.pem"}))
