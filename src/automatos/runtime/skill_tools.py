"""The tools that come with an agent's skills: load one, read a file of one, run a script of one.

A run's prompt holds what each skill is called and for; its text and files reach the model through these, when it asks.
Nothing of a skill that the agent does not have can be asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from automatos.agents.types import AgentSpec, SkillSpec
from automatos.kernel.db import Database
from automatos.llm.types import ToolSpec
from automatos.runtime.types import LOAD_SKILL, JsonObject
from automatos.skills import service as skills
from automatos.tools.errors import ToolRefused
from automatos.tools.service import Toolbox
from automatos.tools.types import Effect, HandedTool, Script, ToolContext

READ = "read_skill_file"
PIECE_CHARS = 18_000
READING_S, SCRIPT_S = 10.0, 60.0
LISTED_FILES = 100


@dataclass(frozen=True, slots=True)
class WorkspaceSkillLoader:
    """The skills of one workspace's agents, read while they work."""

    _database: Database
    _toolbox: Toolbox
    _workspace_id: UUID

    async def core(self, skill: SkillSpec) -> str:
        """Return the instructions of a skill, in the version that the agent has.

        Raises:
            LookupError: the skill was deleted meanwhile.
        """
        text, _ = await skills.load_core(self._database, self._workspace_id, skill.id, skill.version)
        return text

    def handed_tools(self, agent: AgentSpec) -> Mapping[str, HandedTool]:
        """Return the tools that come with the skills of an agent that has some, by name.

        Of two skills of one name the first counts. Scripts are left out where nothing can be confined.
        """
        skill_loader: dict[str, SkillSpec] = {}
        for skill in agent.skills:
            skill_loader.setdefault(skill.name, skill)
        told = [name for name, skill in skill_loader.items() if skill.by_model]
        # A skill that only people call up is read in its run too, though no run is told of its name.
        tools = [_read_tool(told if len(told) == len(skill_loader) else [], partial(self._read, skill_loader))]
        if told:
            offered = {name: skill_loader[name] for name in told}
            tools.insert(0, _load_tool(told, partial(self._load, offered)))
        if self._toolbox.scripts_off_reason is None:
            tools += [self._script_tool(skill, tool) for skill in skill_loader.values() for tool in skill.tools_schema]
        return {tool.spec.name: tool for tool in tools}

    def _script_tool(self, skill: SkillSpec, tool: Mapping[str, Any]) -> HandedTool:
        spec = ToolSpec(skills.tool_name(skill.name, tool["name"]), tool["description"], dict(tool["parameters"]))
        return HandedTool(spec, partial(self._run, skill, tool["command"]), Effect.WRITE, SCRIPT_S)

    async def _load(self, skill_loader: Mapping[str, SkillSpec], arguments: JsonObject, context: ToolContext) -> str:
        del context
        skill = _chosen(skill_loader, arguments)
        try:
            text, files = await skills.load_core(self._database, self._workspace_id, skill.id, skill.version)
        except LookupError as error:
            raise _gone(skill) from error
        return _piece(text, arguments) + _listed(files)

    async def _read(self, skill_loader: Mapping[str, SkillSpec], arguments: JsonObject, context: ToolContext) -> str:
        del context
        skill, path = _chosen(skill_loader, arguments), str(arguments["path"])
        content = await skills.read_file(self._database, self._workspace_id, skill.id, skill.version, path)
        if content is None:
            raise ToolRefused(
                "not_found", f"The skill {skill.name!r} has no file {path[:200]!r}. Load it to see its files.")
        text = skills.as_text(content)
        if text is None:
            raise ToolRefused("not_text", f"{path!r} holds {len(content)} bytes that are not text.")
        return _piece(text, arguments)

    async def _run(self, skill: SkillSpec, command: str, arguments: JsonObject, context: ToolContext) -> str:
        files = await skills.load_files(self._database, self._workspace_id, skill.id, skill.version)
        if command not in files:
            raise _gone(skill)
        return await self._toolbox.run_script(Script(files, command, arguments), context)


def _load_tool(names: Sequence[str], run: Any) -> HandedTool:
    return HandedTool(ToolSpec(
        LOAD_SKILL, "Load the instructions of one of your skills. Do so before work that it is for; follow them.",
        _parameters(names, {}),
    ), run, Effect.READ, READING_S)


def _read_tool(names: Sequence[str], run: Any) -> HandedTool:
    path = {"type": "string", "minLength": 1, "maxLength": 500,
            "description": "The file, as the loaded skill names it, for example references/checklist.md"}
    return HandedTool(ToolSpec(READ, "Read a text file of one of your skills.", _parameters(names, {"path": path})),
                      run, Effect.READ, READING_S)


def _parameters(names: Sequence[str], more: JsonObject) -> JsonObject:
    name = {"type": "string", "enum": list(names)} if names else {"type": "string", "maxLength": 100}
    name["description"] = "The skill"
    offset = {"type": "integer", "minimum": 0, "default": 0,
              "description": "The character to start at, to read on in a long text"}
    return {"type": "object", "additionalProperties": False, "required": ["name", *more],
            "properties": {"name": name, **more, "offset": offset}}


def _chosen(skill_loader: Mapping[str, SkillSpec], arguments: JsonObject) -> SkillSpec:
    """Return the skill that a call names, if the agent has it."""
    if arguments["name"] not in skill_loader:
        raise ToolRefused("not_found", f"{str(arguments['name'])[:100]!r} is not one of your skills.")
    return skill_loader[arguments["name"]]


def _gone(skill: SkillSpec) -> ToolRefused:
    return ToolRefused("not_found", f"The skill {skill.name!r} was deleted meanwhile. Go on without it.")


def _piece(text: str, arguments: JsonObject) -> str:
    start = int(arguments.get("offset", 0))
    end = start + PIECE_CHARS
    piece = text[start:end]
    return f"{piece}\n[{len(text) - end} more characters; read on with offset {end}]" if end < len(text) else piece


def _listed(files: Sequence[tuple[str, int]]) -> str:
    """Return what follows a skill's text: which files it has, for `read_skill_file`."""
    if not files:
        return ""
    lines = [f"- {path} ({size} bytes)" for path, size in files[:LISTED_FILES]]
    more = [f"- and {len(files) - LISTED_FILES} more"] if len(files) > LISTED_FILES else []
    return "\n\nFiles of this skill, for read_skill_file:\n" + "\n".join(lines + more)
