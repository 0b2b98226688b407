"""The closed list of our own hosts: what is taken by default, when bound elsewhere, and when listed."""

import pytest

from automatos.kernel.hosts import OwnHosts, is_address

LOOPBACK = ["localhost", "localhost:8000", "LOCALHOST", "127.0.0.1", "127.0.0.1:80", "127.8.8.8", "[::1]", "[::1]:8000"]
FOREIGN = ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.7", "[::2]", "localhost:x",
           "localhost:8000:9", "a@localhost", "localhost, evil.example", "localhost/evil", "::1", "0.0.0.0",
           "169.254.1.1"]


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0", "::", "localhost"])
def test_loopback_is_always_taken_and_a_foreign_name_never(bound: str) -> None:
    hosts = OwnHosts(bound, None, ())

    assert [name for name in LOOPBACK if not hosts.takes(name, "10.0.0.5")] == []
    assert [name for name in FOREIGN if hosts.takes(name, "10.0.0.5")] == []
    assert not hosts.is_known_outside


def test_the_bound_address_and_the_public_name_are_taken() -> None:
    hosts = OwnHosts("10.0.0.5", "https://Recipes.example.org:8443/x", ("*.internal", "[fd00::5]"))

    taken = ["10.0.0.5:8000", "recipes.example.org", "recipes.example.org:1", "a.internal", "[fd00::5]:8000"]
    assert [name for name in taken if not hosts.takes(name)] == []
    assert not any(hosts.takes(name) for name in ("internal", "recipes.example.org.evil", "10.0.0.6"))
    assert hosts.is_known_outside


def test_on_all_addresses_the_one_that_was_reached_is_taken_and_no_name_for_it() -> None:
    hosts = OwnHosts("0.0.0.0", None, ())

    assert hosts.takes("10.0.0.5:8000", "10.0.0.5")
    assert hosts.takes("[fd00::5]", "fd00:0::5")
    assert not hosts.takes("10.0.0.6", "10.0.0.5")
    assert not hosts.takes("evil.example", "evil.example")
    assert not OwnHosts("127.0.0.1", None, ()).takes("10.0.0.5", "10.0.0.5")


def test_an_address_is_told_from_a_name() -> None:
    assert [each for each in ("10.0.0.5", "10.0.0.5:80", "[::1]:80") if not is_address(each)] == []
    assert [each for each in ("a.example", "", "10.0.0", "1.2.3.4.evil.example") if is_address(each)] == []
