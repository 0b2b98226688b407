"""Requests for every operation of the API's description, filled with the ids of one workspace or another.

What cannot be filled raises `Unfillable`: whoever adds a route, a body or a path parameter says here what goes in.
"""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.surface import Answer, Client
from tests.tenancy.world import COMMIT, EVERYBODYS, NOWHERE, Ids

FIXED = {
    "version": 1, "category": "notes", "key": "greeting", "name": "openai_api", "task": "coding",
    "order": 1,
}
"""Path parameters that belong to nobody."""

WAIT_S = 0.3
"""How long an endless stream is read."""


class Unfillable(AssertionError):
    """The tenancy test does not know what to send."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    entry: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_public(self) -> bool:
        return "security" not in self.entry

    @property
    def path_ids(self) -> list[str]:
        """The path parameters that name somebody's things, outermost first."""
        names = [each["name"] for each in self.entry.get("parameters", []) if each["in"] == "path"]
        return [name for name in names if name not in FIXED.keys() | EVERYBODYS]

    @property
    def body_name(self) -> str | None:
        """The name of the body's schema, of which there is one; its kind when it is not JSON."""
        content = self.entry.get("requestBody", {}).get("content")
        if content is None:
            return None
        kind, described = next(iter(content.items()))
        return named_in(described["schema"]) if kind == "application/json" else kind


def operations(description: dict[str, Any]) -> list[Operation]:
    """Return every operation of an API description."""
    return [
        Operation(method.upper(), path, entry)
        for path, entries in description["paths"].items() for method, entry in entries.items()
    ]


@dataclass(frozen=True)
class Attempt:
    """One request, ready to be sent by anybody; `named` are the foreign ids it names."""

    operation: Operation
    path: str
    query: dict[str, str]
    body: Any
    named: tuple[str, ...]

    async def send(self, client: Client, headers: dict[str, str] | None = None) -> Answer:
        """Send it and return the answer; an endless stream is read for a moment."""
        options: dict[str, Any] = {"params": self.query, "headers": client.headers | (headers or {})}
        if isinstance(self.body, bytes):
            options |= {"data": self.body, "headers": options["headers"] | {"Content-Type": self.operation.body_name}}
        elif self.body is not None:
            options["json"] = self.body
        async with client.http.request(self.operation.method, self.path, **options) as response:
            body = bytearray()
            try:
                async with asyncio.timeout(WAIT_S if response.content_type == "text/event-stream" else 20):
                    async for piece in response.content.iter_any():
                        body += piece
            except TimeoutError:
                assert response.content_type == "text/event-stream", f"{self.operation.name} does not end"
            return Answer(response.status, response.headers, bytes(body))


def named_in(schema: dict[str, Any]) -> str:
    """Return the name of a body's schema; one that may be left out stands beside null."""
    whole = next((one for one in schema.get("anyOf", ()) if "$ref" in one), schema)
    return whole["$ref"].rpartition("/")[2]


def fill(operation: Operation, path_ids: Ids, body_ids: Ids) -> Attempt:
    """Return the request of an operation with these ids in its path and query, and those in its body."""
    try:
        path = operation.path.format_map(path_ids | FIXED)
        body = BODIES[operation.body_name](body_ids) if operation.body_name else None
    except KeyError as missing:
        raise Unfillable(f"{operation.name}: teach tests/tenancy what to put for {missing}") from missing
    query = dict(filled_query(operation, body_ids))
    in_path = {path_ids[name] for name in operation.path_ids}
    in_body = {value for name, value in body_ids.items() if body is not None or not isinstance(value, int)}
    named = {str(value) for value in in_path | in_body}
    return Attempt(operation, path, query, body, tuple(sorted(named, key=len, reverse=True)))


def filled_query(operation: Operation, ids: Ids) -> Iterator[tuple[str, str]]:
    for each in operation.entry.get("parameters", []):
        if each["in"] != "query":
            continue
        if each["name"] in QUERIES:
            yield each["name"], QUERIES[each["name"]].format_map(ids)
        elif each.get("required"):
            raise Unfillable(f"{operation.name}: teach tests/tenancy what to put for the query's {each['name']}")


def foreign_pairs(operation: Operation, own: Ids, hers: Ids, absent: Ids) -> Iterator[tuple[Attempt, Attempt]]:
    """Yield requests that name things of somebody else, each beside the same request for things nobody has.

    Everything is foreign; or what is inside a container of one's own; or only what the body or query names.
    """
    ids = operation.path_ids
    for foreign in dict.fromkeys((tuple(ids), tuple(ids[1:]), ())):
        if not set(ids) <= own.keys() | set(foreign):
            continue
        one, other = [
            fill(operation, own | {name: there[name] for name in foreign if name in there}, there)
            for there in (hers, absent)
        ]
        if (one.path, one.query, one.body) != (other.path, other.query, other.body):
            yield one, other


def steps(ids: Ids) -> list[dict[str, Any]]:
    return [{"step_id": "s1", "order": 1, "agent_id": ids["agent_id"], "prompt_template": "Hello"}]


def agent(ids: Ids, name: str = "Newcomer") -> dict[str, Any]:
    return {"name": name, "skill_ids": [ids["skill_id"]], "persona_id": str(ids["persona_id"])}


def skill_file(name: str) -> dict[str, str]:
    return {"path": f"{name}/SKILL.md", "content": f"---\nname: {name}\ndescription: Tastes.\n---\n\nTaste.\n"}


def zipped(file: dict[str, str]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(file["path"], file["content"])
    return whole.getvalue()


QUERIES = {
    "against": "1",
    "level": "3",
    "provider": "openai",
    "recipe": "{template_id}",
    "resource_path": "notes.md",
    "search": "{template_id}",
    "source_id": "{source_id}",
    "topics": "run:{run_id},run:{finished_run_id},agent:{agent_id},runs,recipes,agents,usage,personas,skills,"
              "heartbeats,credentials,models",
}
BODIES: dict[str | None, Any] = {
    "AgentConfigurationChange": lambda _: {"retry_attempts": 1},
    "AgentCreate": agent,
    "AgentImport": lambda ids: {"documents": [
        {"name": "Imported", "skills": [ids["skill_name"]], "persona": {"slug": ids["persona_slug"]}}]},
    "AgentUpdate": lambda ids: {"description": "taken over", "skill_ids": [ids["skill_id"]],
                                "persona_id": str(ids["persona_id"])},
    "TakeOver": lambda _: {"token": "t" * 43},
    "ApiKeyNew": lambda _: {"name": "robot", "role": "viewer"},
    "BulkActions": lambda ids: {"action": "tag", "agent_ids": [ids["agent_id"]], "tags": ["taken-over"]},
    "BulkCreate": lambda ids: {"agents": [agent(ids, "First"), agent(ids, "Second")]},
    "CostQuestion": lambda _: {"provider": "demo", "model_id": "demo", "input_tokens": 1, "output_tokens": 1},
    "CredentialCreate": lambda _: {"name": "Mine", "provider": "openai", "value": "sk-mine"},
    "CredentialTry": lambda _: {"provider": "openai", "value": "sk-mine"},
    "CredentialUpdate": lambda _: {"description": "taken over"},
    "Decision": lambda _: {"comment": "Well."},
    "Draft": lambda ids: {"agent": agent(ids)},
    "ExecutionStart": lambda _: {"input_data": {}},
    "ForkStart": lambda _: {"from_step": "s1"},
    "GitSourceCreate": lambda _: {"git_url": NOWHERE},
    "HeartbeatSettings": lambda _: {"interval_minutes": 30},
    "InvitationAcceptance": lambda ids: {"token": ids["invitation_token"]},
    "InvitationNew": lambda _: {"email": "somebody@example.org", "role": "viewer"},
    "ModelCreate": lambda _: {"provider": "demo", "model_id": "mine"},
    "ModelNeeds": lambda _: {"task_type": "coding"},
    "ModelChange": lambda _: {"provider": "demo", "model_id": "demo"},
    "ModelTrial": lambda _: {"provider": "demo", "model_id": "demo"},
    "ModelUpdate": lambda _: {"description": "taken over"},
    "PasswordChange": lambda _: {"current_password": "wrong horse", "new_password": "correct horses"},
    "PatternCreate": lambda _: {"name": "Relay", "pattern_type": "coordination"},
    "PatternUpdate": lambda _: {"description": "taken over"},
    "PersonaChange": lambda ids: {"persona_id": str(ids["persona_id"])},
    "PersonaCreate": lambda _: {"name": "Pirate", "system_prompt": "Arr."},
    "PersonaUpdate": lambda _: {"name": "Corsair"},
    "RecipeBody": lambda ids: {"name": "Soup", "steps": steps(ids)},
    "RecipeCreate": lambda ids: {"name": "Soup", "template_id": "stew", "steps": steps(ids)},
    "RecipeFile": lambda _: {
        "apiVersion": "automatos/v1", "kind": "Recipe",
        "agents": [{"name": "Cook", "agent_type": "custom", "prompt": "You cook."}],
        "recipe": {"template_id": "soup", "name": "Soup",
                   "steps": [{"step_id": "s1", "agent": "Cook", "prompt_template": "Hello"}]},
    },
    "RecipeUpdate": lambda ids: {"name": "Soup", "steps": steps(ids)},
    "RoleChange": lambda _: {"role": "viewer"},
    "SettingWrite": lambda _: {"value": "mine"},
    "SettingsWrite": lambda _: {"values": {"llm_model": "mine"}},
    "StopOrder": lambda _: {"shutdown_type": "graceful"},
    "Setup": lambda _: {"email": "first@example.org", "name": "First", "password": "correct horse"},
    "SignalIn": lambda _: {"data": {"done": True}},
    "SignIn": lambda _: {"email": "nobody@example.org", "password": "wrong horse"},
    "SignUp": lambda ids: {"token": str(ids["invitation_id"]), "name": "New", "password": "correct horse"},
    "SkillChange": lambda ids: {"skill_ids": [ids["skill_id"]]},
    "SkillCreate": lambda _: {"name": "soup-tasting", "description": "Tastes.", "content": "Taste.",
                              "files": [{"path": "notes.md", "content": "Salt."}]},
    "SkillRecommend": lambda ids: {"task_description": ids["skill_name"]},
    "SkillUpdate": lambda _: {"description": "taken over"},
    "SkillValidate": lambda _: {"files": [skill_file("broth-tasting")]},
    "SourcePin": lambda _: {"commit_sha": COMMIT},
    "SourceRollback": lambda _: {"commit_sha": COMMIT},
    "SourceUpdate": lambda _: {"update_frequency_hours": 48},
    "StatusChange": lambda _: {"status": "idle"},
    "StatusPreviewOrder": lambda _: {"status": "inactive"},
    "TaskNew": lambda _: {"prompt": "Hello"},
    "TenantChange": lambda _: {"plan_limits": {"max_agents": 1}},
    "Toggle": lambda _: {"enabled": False},
    "Trial": lambda ids: {"agent": agent(ids), "messages": [{"role": "user", "content": "Hello"}]},
    "WorkspaceChange": lambda _: {"name": "Renamed"},
    "WorkspaceNew": lambda _: {"name": "Another"},
    "application/zip": lambda _: zipped(skill_file("stew-tasting")),
}
"""What each body is filled with, by the name of its schema or its kind."""
