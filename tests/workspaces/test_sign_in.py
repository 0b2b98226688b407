"""Signing in and out: failures alike, guessing bounded, an ended session over at once."""

import time

import pytest

from automatos.kernel.db import Scope
from automatos.workspaces import queries
from automatos.workspaces.attempts import PER_ACCOUNT, Attempts, LocalAttempts
from automatos.workspaces.errors import TooManyAttempts
from tests.workspaces.conftest import BROWSER, Build, House, problem

PASSWORD = "correct horse"


async def account(house: House, email: str) -> int:
    """Make an account with a password and a place to be."""
    person = await house.person()
    async with house.database.session(None, Scope.AUTH) as session:
        passwords = house.app.state.services.authenticator.passwords
        await queries.note_sign_in(session, person.id, await passwords.hash(PASSWORD))
    async with house.database.recording(None, Scope.AUTH) as connection:
        await connection.execute("UPDATE users SET email = $1 WHERE id = $2", email, person.id)
    return person.id


async def sign_in(house: House, email: str, password: str = PASSWORD):
    house.client.cookies.clear()
    return await house.client.post("/api/auth/sign-in", json={"email": email, "password": password})


async def test_signs_in_and_out_at_once(house: House) -> None:
    user_id = await account(house, "lin@example.org")

    signed_in = await sign_in(house, " LIN@example.org")
    cookie = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
    house.client.cookies.clear()
    before = await house.client.get("/api/auth/me", headers=cookie)
    unproven = await house.client.post("/api/auth/sign-out", headers=cookie)
    out = await house.client.post("/api/auth/sign-out", headers=cookie | BROWSER)
    after = await house.client.get("/api/auth/me", headers=cookie)

    assert signed_in.json()["user"]["id"] == before.json()["user"]["id"] == user_id
    assert problem(unproven) == (403, "same_origin_required")
    assert out.status_code == 204
    assert 'automatos_session=""' in out.headers["set-cookie"]
    assert problem(after) == (401, "invalid_credential")
    assert (await house.client.post("/api/auth/sign-out")).status_code == 204


async def test_only_a_digest_of_the_cookie_is_stored(house: House) -> None:
    ada = await house.person()

    async with house.database.recording(None, Scope.AUTH) as connection:
        stored = await connection.fetchval("SELECT token_hash FROM user_sessions WHERE user_id = $1", ada.id)

    assert len(stored) == 32
    assert ada.token.encode() not in stored


async def test_failures_are_alike_in_answer_and_in_work(house: House) -> None:
    await account(house, "mae@example.org")
    passwordless = await house.person()
    await sign_in(house, "warm@example.org")
    took: list[float] = []
    answers = []
    for email, password in (
        ("mae@example.org", "wrong horse"), ("nobody@example.org", PASSWORD), (passwordless.email, PASSWORD),
    ):
        start = time.perf_counter()
        answers.append(await sign_in(house, email, password))
        took.append(time.perf_counter() - start)

    assert {problem(answer) for answer in answers} == {(401, "wrong_email_or_password")}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert min(took) > max(took) / 4


async def test_switched_off_account_cannot_sign_in(house: House) -> None:
    user_id = await account(house, "off@example.org")
    async with house.database.recording(None, Scope.AUTH) as connection:
        await connection.execute("UPDATE users SET is_active = false WHERE id = $1", user_id)

    assert problem(await sign_in(house, "off@example.org")) == (401, "wrong_email_or_password")


async def test_guessing_is_bounded_by_address_and_account_before_any_work() -> None:
    attempts = Attempts()
    for _ in range(10):
        await attempts.count("203.0.113.9", "a@example.org")
    with pytest.raises(TooManyAttempts) as refused:
        await attempts.count("203.0.113.9", "a@example.org")

    assert 0 < int(refused.value.headers["Retry-After"]) <= 301
    await attempts.count("203.0.113.9", "b@example.org")
    await attempts.count("203.0.113.10", "a@example.org")


@pytest.mark.parametrize("step_s", [-86_400, 172_800])
async def test_a_clock_that_is_set_neither_forgives_nor_holds_anybody_longer(
    monkeypatch: pytest.MonkeyPatch, step_s: int
) -> None:
    attempts, told = Attempts(), time.time
    for _ in range(10):
        await attempts.count("203.0.113.9", "a@example.org")
    monkeypatch.setattr(time, "time", lambda: told() + step_s)
    with pytest.raises(TooManyAttempts) as refused:
        await attempts.count("203.0.113.9", "a@example.org")
    assert 0 < int(refused.value.headers["Retry-After"]) <= 301


def test_attempts_are_taken_again_when_the_oldest_is_past_and_memory_stays_bounded(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automatos.workspaces.attempts.MAX_COUNTED", 50)
    clock = [0.0]
    attempts = LocalAttempts(lambda: clock[0])
    waits = []
    for clock[0] in range(12):
        waits.append(attempts.hit(PER_ACCOUNT, "a"))
    assert waits == [0.0] * 10 + [290.0, 289.0]
    clock[0] = 300.0
    assert attempts.hit(PER_ACCOUNT, "a") == 0.0
    assert attempts.hit(PER_ACCOUNT, "a") == 1.0
    for number in range(500):
        attempts.hit(PER_ACCOUNT, str(number))
    assert len(attempts._seen) == 50


async def test_right_password_forgives_earlier_attempts_for_that_account_only() -> None:
    attempts = Attempts()
    for account in ("a@example.org", "b@example.org"):
        for _ in range(10):
            await attempts.count("203.0.113.9", account)

    await attempts.forgive("203.0.113.9", "a@example.org")

    await attempts.count("203.0.113.9", "a@example.org")
    with pytest.raises(TooManyAttempts):
        await attempts.count("203.0.113.9", "b@example.org")


async def test_one_address_cannot_try_many_accounts_and_ipv6_counts_by_network() -> None:
    attempts = Attempts()
    for n in range(60):
        await attempts.count(f"2001:db8::{n:x}", f"{n}@example.org")

    with pytest.raises(TooManyAttempts):
        await attempts.count("2001:db8::ffff", "another@example.org")


async def test_redis_that_is_down_leaves_guessing_bounded() -> None:
    attempts = Attempts("redis://127.0.0.1:1/0")
    for _ in range(10):
        await attempts.count("203.0.113.9", "a@example.org")

    with pytest.raises(TooManyAttempts):
        await attempts.count("203.0.113.9", "a@example.org")


async def test_too_many_attempts_are_refused_over_http(house: House) -> None:
    house.app.state.services.authenticator.attempts = full = Attempts()
    for _ in range(10):
        await full.count("127.0.0.1", "kim@example.org")

    answer = await sign_in(house, "kim@example.org")

    assert problem(answer) == (429, "too_many_attempts")
    assert answer.headers["retry-after"]


async def test_forwarded_address_of_an_untrusted_peer_does_not_move_the_count(house: House) -> None:
    house.app.state.services.authenticator.attempts = full = Attempts()
    for _ in range(10):
        await full.count("127.0.0.1", "kim@example.org")

    answer = await house.client.post("/api/auth/sign-in", json={"email": "kim@example.org", "password": "x"},
                                     headers={"X-Forwarded-For": "198.51.100.7"})

    assert answer.status_code == 429


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_body_of_a_foreign_form_is_not_read(house: House, content_type: str) -> None:
    answer = await house.client.post("/api/auth/sign-in", content='{"email":"a@b.c","password":"x"}',
                                     headers={"Content-Type": content_type})

    assert answer.status_code == 422


async def test_cookie_is_secure_where_the_site_is(build: Build) -> None:
    house = build(base_url="https://localhost:8000")
    await account(house, "sec@example.org")

    assert "Secure" in (await sign_in(house, "sec@example.org")).headers["set-cookie"]


async def test_clerk_mode_tells_its_key(build: Build) -> None:
    config = (await build(clerk_publishable_key="pk_test_x").client.get("/api/auth/config")).json()

    assert (config["mode"], config["clerk_publishable_key"], config["needs_setup"]) == ("clerk", "pk_test_x", False)


async def test_keys_cannot_be_traded_for_a_cookie(house: House) -> None:
    ada = await house.person()
    key = (await house.key(ada, ada.home))["key"]

    assert problem(await house.client.post("/api/auth/session", headers={"X-API-Key": key})) == (403, "token_required")
