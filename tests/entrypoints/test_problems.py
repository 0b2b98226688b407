"""Every failure is an RFC 9457 problem that names what was wrong and never repeats what was sent."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import FastAPI, Path, Query
from pydantic import Field, JsonValue
from sqlalchemy import text

from automatos.kernel.db import Scope
from automatos.kernel.errors import Problem
from automatos.kernel.schemas import Body


class Order(Body):
    amount: Annotated[int, Field(ge=1)]
    ratio: float = 1.0
    name: str = ""
    lines: list["Line"] = Field(default_factory=list)
    notes: dict[str, JsonValue] = Field(default_factory=dict)


class Line(Body):
    sku: UUID


class OutOfStock(Problem):
    status = 409
    code = "out_of_stock"
    title = "There is none left"


def add_routes(app: FastAPI) -> None:
    @app.post("/api/orders")
    async def order(body: Order) -> dict[str, Any]:
        return {"amount": body.amount}

    @app.get("/api/orders/{number}")
    async def read(
        number: Annotated[int, Path(ge=1)], kind: Annotated[Literal["a", "b"], Query()] = "a",
    ) -> dict[str, Any]:
        if number == 13:
            raise OutOfStock("Order 13 needs 4 pans, there are 2.", headers={"Retry-After": "7"}, missing=2)
        if number == 14:
            raise RuntimeError("the secret inside sk-abcdefghijkl")
        if number == 15:
            "\ud800".encode()
        return {"kind": kind}


def add_statements(app: FastAPI) -> None:
    @app.get("/api/run")
    async def run(number: int) -> dict[str, Any]:
        statements = [
            ("INSERT INTO workspaces (id, name, slug) VALUES (gen_random_uuid(), NULL, 'x')", {}),
            ("SELECT CAST(:n AS int)", {"n": 2**40}),
            ("SELECT :t || ''", {"t": "a\ud800"}),
            ("SELECT nonsense", {}),
        ]
        async with app.state.services.database.session(None, Scope.AUTH) as session:
            await session.execute(text(statements[number][0]), statements[number][1])
        return {}


@pytest.mark.parametrize(("number", "status", "code"), [
    (0, 409, "conflict"), (1, 422, "invalid_request"), (2, 422, "invalid_request"), (3, 500, "internal_error"),
])
async def test_what_the_database_refuses_is_told_apart_from_what_we_did_wrong(serve, number, status, code) -> None:
    site = await serve(add_statements)
    async with site.get(f"/api/run?number={number}") as response:
        document = await read_problem(response)
    assert (response.status, document["code"]) == (status, code)
    assert "SELECT" not in document["detail"]


@pytest.fixture(scope="module")
async def site(serve_module):
    return await serve_module(add_routes)


async def read_problem(response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    document = await response.json(content_type=None)
    assert {"type", "title", "status", "detail", "code", "instance", "request_id"} <= document.keys()
    assert document["status"] == response.status
    assert document["request_id"] == response.headers["x-request-id"]
    assert document["type"] == "urn:automatos:problem:" + document["code"]
    return document


async def test_a_rooms_problem_keeps_its_status_code_headers_and_extra_fields(site) -> None:
    async with site.get("/api/orders/13") as response:
        document = await read_problem(response)
    assert (response.status, document["code"], document["missing"]) == (409, "out_of_stock", 2)
    assert document["detail"].startswith("Order 13 needs 4 pans,")
    assert document["instance"] == "/api/orders/13"
    assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize(("path", "status", "code"), [
    ("/api/nowhere", 404, "not_found"),
    ("/api", 404, "not_found"),
    ("/api/", 404, "not_found"),
    ("/api/orders", 405, "method_not_allowed"),
    ("/api/orders/0", 422, "invalid_request"),
    ("/api/orders/x", 422, "invalid_request"),
    ("/api/orders/1?kind=c", 422, "invalid_request"),
    ("/api/orders/1%00", 422, "invalid_request"),
    ("/api/orders/1?kind=%00", 422, "invalid_request"),
    ("/api/orders/15", 422, "invalid_request"),
    ("/api/orders/%ff", 422, "invalid_request"),
    ("/api/%ff%fe", 404, "not_found"),
])
async def test_answers_a_problem_also_to_browsers(site, path: str, status: int, code: str) -> None:
    for accept in ("*/*", "text/html,application/xhtml+xml"):
        async with site.get(path, headers={"Accept": accept}) as response:
            document = await read_problem(response)
        assert (document["status"], document["code"]) == (status, code)


async def test_405_names_the_methods_that_are_taken(site) -> None:
    async with site.get("/api/orders") as response:
        document = await read_problem(response)
    assert response.headers["allow"] == "POST"
    assert "POST" in document["detail"]


async def test_an_unexpected_failure_shows_the_request_id_and_nothing_of_the_inside(site) -> None:
    async with site.get("/api/orders/14", headers={"Origin": "http://localhost:3000"}) as response:
        document = await read_problem(response)
        text = await response.text()
    assert (response.status, document["code"]) == (500, "internal_error")
    assert "secret" not in text
    assert "RuntimeError" not in text
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("body", "field", "reason"), [
    (b'{"amount": 0}', "amount", "greater than or equal to 1"),
    (b'{"amount": 1, "colour": "red"}', "colour", "is not a field"),
    (b'{"amount": 1, "lines": [{"sku": "zz-planted-zz"}]}', "lines.0.sku", "valid UUID"),
    (b'{"amount": NaN}', "amount", "finite number"),
    (b'{"amount": 1, "ratio": 1e999}', "ratio", "finite number"),
    (b'{"amount": "planted"}', "amount", "valid integer"),
    (b'{"amount": 1, "name": "\\ud800"}', "body", "lone surrogate"),
    (b'{"amount": 1, "\\ud800": 1}', "body", "lone surrogate"),
    (b'{"amount": 1, "name": "\\u0000"}', "body", "NUL"),
    (b'{"amount": 1,', "body", "not valid JSON at character 13"),
    (b"[]", "body", "must be a JSON object"),
    (b"", "body", "must be a JSON object"),
    (b"null", "body", "must be a JSON object"),
])
async def test_names_the_field_and_the_reason(site, body: bytes, field: str, reason: str) -> None:
    async with site.post("/api/orders", data=body, headers={"Content-Type": "application/json"}) as response:
        document = await read_problem(response)
        text = await response.text()
    assert response.status == 422
    assert document["errors"][0]["field"] == field
    assert reason in document["errors"][0]["reason"]
    assert field in document["detail"]
    assert reason in document["detail"]
    assert "planted" not in text


@pytest.mark.parametrize(("body", "words"), [
    (b'{"amount": 1, "name": "\xff"}', "not valid UTF-8"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"amount": ' + b"9" * 5000 + b"}", "cannot be read"),
])
async def test_an_unreadable_body_is_400_with_the_reason(site, body: bytes, words: str) -> None:
    async with site.post("/api/orders", data=body, headers={"Content-Type": "application/json"}) as response:
        document = await read_problem(response)
    assert (response.status, document["code"]) == (400, "bad_request")
    assert words in document["detail"]


async def test_a_body_of_another_content_type_is_refused(site) -> None:
    async with site.post("/api/orders", data=b'{"amount": 1}', headers={"Content-Type": "text/plain"}) as response:
        document = await read_problem(response)
    assert "application/json" in document["detail"]


async def test_many_errors_are_counted_and_the_list_is_bounded(site) -> None:
    async with site.post("/api/orders", json={"amount": 1, "lines": [{"sku": 1}] * 300}) as response:
        document = await read_problem(response)
    assert len(document["errors"]) == 20
    assert "299 more" in document["detail"]


async def test_a_long_unknown_name_is_cut(site) -> None:
    async with site.post("/api/orders", json={"amount": 1, "x" * 9000: 1}) as response:
        assert len(await response.read()) < 2000
