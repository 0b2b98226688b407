"""Only the origins of the settings may call with credentials; nothing else is ever reflected."""

import pytest

from automatos.entrypoints.api import create_app
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings

LISTED = "https://app.example.com"
EVIL = [
    "null", "https://evil.example", "https://app.example.com.evil.example", "https://evilapp.example.com",
    "http://app.example.com", "https://app.example.com:8443", "https://app.example.com/", "HTTPS://APP.EXAMPLE.COM",
    "https://app.example.com, https://evil.example", "file://", "", "*", "https://sub.app.example.com",
]


@pytest.fixture(scope="module")
async def site(serve_module):
    return await serve_module(cors_allow_origins=(LISTED,))


@pytest.mark.capability("S173")
async def test_listed_origins_are_trimmed_and_get_credentials(serve, monkeypatch) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", f" https://other.example ,{LISTED} , ")
    origins = Settings().cors_allow_origins
    assert origins == ("https://other.example", LISTED)
    site = await serve(cors_allow_origins=origins)
    async with site.get("/health", headers={"Origin": LISTED}) as response:
        headers = response.headers
    assert headers["access-control-allow-origin"] == LISTED
    assert headers["access-control-allow-credentials"] == "true"
    assert "Origin" in headers["vary"]
    exposed = {name.strip() for name in headers["access-control-expose-headers"].split(",")}
    assert {"X-Request-ID", "X-Routing-Agent-ID", "X-Routing-Confidence", "X-Routing-Type", "X-Routing-Reasoning",
            "X-Routing-Request-ID"} <= exposed


@pytest.mark.capability("S173")
async def test_a_preflight_names_methods_and_headers(serve) -> None:
    site = await serve(cors_allow_origins=(LISTED,), rate_limit="1/minute")
    asked = {"Origin": LISTED, "Access-Control-Request-Method": "DELETE",
             "Access-Control-Request-Headers": "x-workspace-id, x-api-key, authorization, content-type, x-request-id"}
    for _ in range(3):
        async with site.http.options("/api/agents/1", headers=asked) as response:
            assert response.status == 200
            assert response.headers["access-control-allow-origin"] == LISTED
            methods = response.headers["access-control-allow-methods"]
    assert {each.strip() for each in methods.split(",")} == {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}


@pytest.mark.capability("S173")
@pytest.mark.parametrize("origin", EVIL)
async def test_no_other_origin_is_reflected(site, origin: str) -> None:
    asked = {"Origin": origin, "Cookie": "automatos_session=x"}
    for path in ("/health", "/api/nothing", "/"):
        async with site.get(path, headers=asked) as response:
            assert "access-control-allow-origin" not in response.headers
    async with site.http.options("/health", headers={**asked, "Access-Control-Request-Method": "GET"}) as response:
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.capability("S173")
@pytest.mark.parametrize("origin", ["*", "https://*.example.com", "app.example.com", "https://a.example/path", "null"])
def test_an_origin_that_is_not_exact_is_refused_at_start(origin: str) -> None:
    with pytest.raises(ValueError, match="CORS_ALLOW_ORIGINS"):
        create_app(Services(Settings(cors_allow_origins=(origin,)), "postgresql://nowhere/none"))


async def test_outside_development_no_origin_may_call_by_default(serve) -> None:
    for environment, origin, allowed in (
        ("production", {}, None), ("staging", {}, None), ("development", {}, "http://localhost:3000"),
        ("production", {"cors_allow_origins": ("http://localhost:3000",)}, "http://localhost:3000"),
    ):
        site = await serve(environment=environment, **origin)
        async with site.get("/health", headers={"Origin": "http://localhost:3000"}) as response:
            assert response.headers.get("access-control-allow-origin") == allowed, environment
