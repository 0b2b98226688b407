"""Features of a request that some providers or models refuse: how a refusal is recognised, what is sent instead.

A feature is a word: `temperature` or `reasoning.effort` for a field of the body, `limit:max_tokens` for one name of
the answer's limit, `role:system`, `content:null`, `message:name` for a field of every message, `schema:format` for a
keyword in the tools' schemas. Whatever is named here was sent; nothing else can be refused.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from automatos.kernel.error_bodies import ProviderError
from automatos.llm.providers.schemas import KEYWORDS, LIST_OF_TYPES, tool_schemas, without_keywords

Body = dict[str, Any]
ESSENTIAL = frozenset({"model", "messages", "input", "system", "tools", "stream"})
"""Fields that are the request itself; every other one may be left out."""
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
MESSAGE_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id", "type", "id", "call_id", "output", "name",
                            "arguments", "summary", "status"})
SAMPLING = ("temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty")
PARTS = ("messages", "input")
CACHED_PARTS = (*PARTS, "system", "tools")
MAX_NESTING = 12

ALIASES = tuple((re.compile(pattern), names) for pattern, names in (
    (r"\breasoning[\s_.-]*summar", ("reasoning.summary",)),
    (r"\bpenalt(?:y|ies)\b", ("frequency_penalty", "presence_penalty")),
    (r"\bsampling (?:param|setting|option)", SAMPLING),
    (r"\bnucleus\b", ("top_p",)),
    (r"\bparallel[\s_-]*(?:tool|function)", ("parallel_tool_calls",)),
    (r"\beffort\b", ("reasoning_effort", "reasoning.effort", "output_config.effort", "output_config", "reasoning")),
    (r"\b(?:thinking|reasoning)\b", ("thinking", "reasoning", "reasoning_effort", "enable_thinking")),
    (r"\bencrypted[\s_]content\b", ("include",)),
    (r"\bstream[\s_]*usage\b|\binclude[\s_]*usage\b", ("stream_options",)),
    (r"\b(?:tool|function)[\s_-]*choice\b", ("tool_choice",)),
    (r"\bprompt[\s_]*cach", ("prompt_cache_key", "prompt_cache_retention", "cache_control")),
))
"""Other words by which refusals call a field; the first counts, near a word of refusal, where no field is named."""

_REFUSAL = (
    r"unsupported|support|unrecogni[sz]ed|unknown|unexpected|extra|permitted|allow|forbidden|invalid|deprecated|cannot|"
    r"can.?t|must|accept|unable|not available|not valid|not enabled|not implemented|removed?\b|only\b|should|"
    r"no longer|fixed\b|may not|expected|incompatib|compatib|reject|illegal|without|omit|does ?n.t|do not|refus|"
    r"disabled?|"
    r"不支持|无效|未知|不允许|非法|错误|不能|不可|没有|サポート|無効|지원|nicht|ungültig|unbekannt|\bpas\b|invalide|inconnu|"
    r"inválid|no (?:es|está|se|admite|soporta|permite)|não|неизвест|не поддерж|недопуст|verif"
)
_REFUSES = re.compile(_REFUSAL, re.IGNORECASE)
_NAME_UNKNOWN = re.compile(
    r"(?i)unsupported|not support|unrecogni[sz]ed|unknown|unexpected|extra |not permitted|not allowed|instead|"
    r"deprecated|no longer|不支持|未知|cannot find")
_ABOUT_SIZE = re.compile(
    r"(?i)too (?:large|big|high|small|low|long|many)|at (?:most|least)|(?:less|greater|more|higher) than|exceed|"
    r"\bmaximum\b|\bminimum\b|\bmust be\b|\bbetween\b|out of range|context (?:length|window)|"
    r"[<>]=?\s*\d|超过|超出|范围")
_LISTING = re.compile(r"(?i)(?<!un)(?<!not )\b(?:supported|allowed|valid|accepted|available)\s+"
                      r"(?:parameters|fields|arguments|params|keys|properties|options)\b.*", re.DOTALL)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TOOLS = re.compile(
    r"(?i)(?:support|enabled?|available|implement\w*|allow|accept)\w*[^.;]{0,40}\b(?:tools?|functions?)\b|"
    r"\b(?:tools?|functions?)\b[^.;]{0,60}(?:support|unsupported|enabled?|available|implement|requires? --|不支持)|"
    r"不支持[^。]{0,20}(?:工具|函数|tool|function)|tool choice requires --")
_NOT_TOOLS = re.compile(r"(?i)(?:tool|function)[\s_](?:message|result|call_id|calls? (?:must|without))")
_SYSTEM = re.compile(r"(?i)\bsystem\b[\s_-]*(?:role|message|prompt|instruction)?|系统|系統")
_DEVELOPER = re.compile(r"(?i)\bdeveloper\b")
_ROLE = re.compile(r"(?i)\brole|message|prompt|instruction|角色")
_SAYS_NO = re.compile(r"(?i)not|n.t\b|unsupported|only|invalid|unknown|unexpected|unrecogni|cannot|verif|不|无效")
_NO_SYSTEM = re.compile(r"(?i)roles must alternate|only user(?: and|,|/| or) ?(?:assistant|model)\b")
_PATH = re.compile(r"\b((?:messages|input|tools)(?:\.\w+|\[\w+\])+)['\"`]?\s*:")
"""A place in the request, as it begins a sentence about it."""
_NULL_CONTENT = re.compile(
    r"(?i)\bcontents?\b.{0,120}(?:\bnull\b|\bnil\b|\bnone(?:type)?\b|string|required|empty|missing)|"
    r"(?:\bnull\b|<nil>|nonetype).{0,120}\bcontent\b|type must be string, but is null|"
    r"content type: <nil>|content.{0,40}(?:不能为空|为空)")
_LIST_OF_TYPES = re.compile(r"(?i)cannot start list.{0,120}\btype\b|\btype\b.{0,40}(?:array|list|must be a (?:single )?"
                            r"string|valid string)|(?:multiple|union|list of) types")
_STREAM = re.compile(r"(?i)\bstream(?:ing|ed|s)?\b(?![\s_]*options)")


def find_refused(body: Body, error: ProviderError, *, is_messages_wire: bool = False) -> frozenset[str]:
    """Return which features of a request an error refuses; empty when it is about something else.

    A field that the error names as its subject counts alone; else every field whose name stands in its words.
    """
    text = _LISTING.sub("", error.message[:1500])
    fields = error.fields or tuple(_PATH.findall(text))
    named = {feature for field in fields for feature in _by_field(body, field, text)}
    found = named or set(_by_words(body, text))
    return frozenset(each for each in found if not _is_about_size(each, text, is_messages_wire=is_messages_wire))


def refuses_tools(body: Body, error: ProviderError) -> bool:
    """Say whether an error means that the model calls no tools at all."""
    if not body.get("tools"):
        return False
    if any(field.removeprefix("body.").partition(".")[0] == "tools" and field.count(".") <= 1 and "[" not in field
           for field in error.fields):
        return True
    text = error.message[:1500]
    says_no = _REFUSES.search(text) or " --" in text
    return bool(_TOOLS.search(text) and says_no) and not _NOT_TOOLS.search(text)


def _is_about_size(feature: str, text: str, *, is_messages_wire: bool) -> bool:
    """Say whether an error is about how large the limit is, not about its name; that is for people to correct."""
    if not feature.startswith("limit:"):
        return False
    return is_messages_wire or (bool(_ABOUT_SIZE.search(text)) and not _NAME_UNKNOWN.search(text))


def _by_field(body: Body, field: str, text: str) -> Iterator[str]:
    """Yield the feature that a path such as `messages[0].role` or `reasoning.effort` leads to."""
    parts = [part for part in re.split(r"[.\[\]/]+", field) if part and part not in {"body", "$"}]
    if not parts:
        return
    head, last = parts[0], parts[-1]
    if head in PARTS:
        yield from _in_messages(body, parts, text)
    elif head == "tools":
        yield from _in_schemas(body, f"{text} {field}")
    elif head in LIMITS and head in body:
        yield f"limit:{head}"
    elif head == "stream" and body.get("stream"):
        yield "stream"
    elif head in body and head not in ESSENTIAL:
        inner: Any = body[head]
        is_part = len(parts) > 1 and isinstance(inner, dict) and parts[1] in inner and parts[1] != "type"
        yield f"{head}.{parts[1]}" if is_part else head
    elif last != head and last in body and last not in ESSENTIAL:
        yield f"limit:{last}" if last in LIMITS else last


def _in_messages(body: Body, parts: list[str], text: str) -> Iterator[str]:
    last = parts[-1]
    if last == "role" or (last.isdigit() and _ROLE.search(text)):
        yield from _roles(body, parts, text)
    elif last == "content" and _has_null_content(body):
        yield "content:null"
    elif last == "cache_control":
        yield "cache_control"
    elif last in _extra_message_fields(body):
        yield f"message:{last}"
    else:
        yield from (f"message:{name}" for name in _extra_message_fields(body) if _is_named(name, text))


def _roles(body: Body, parts: list[str], text: str) -> Iterator[str]:
    """Yield the role that was refused: that of the message at the place, else the one that is named."""
    messages = list(_messages_of(body))
    place = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else -1
    at_place = str(messages[place].get("role")) if 0 <= place < len(messages) else ""
    named = [role for role, pattern in (("system", _SYSTEM), ("developer", _DEVELOPER))
             if role in _roles_of(body) and pattern.search(text)]
    for role in [at_place] if at_place in {"system", "developer"} else named:
        yield f"role:{role}"


def _by_words(body: Body, text: str) -> Iterator[str]:
    if not _REFUSES.search(text) and text.isascii():
        return
    spaced = _CAMEL.sub(" ", text).lower()
    found = {name for name in _optional_paths(body) if _is_path_named(name, spaced)} or set(_by_alias(body, spaced))
    found -= {name.partition(".")[0] for name in found if "." in name}
    yield from (f"limit:{name}" if name in LIMITS else name for name in found)
    yield from (f"message:{name}" for name in _extra_message_fields(body) if _is_named(name, spaced, needs_mark=True))
    yield from _in_schemas(body, text)
    yield from _words_of_messages(body, text)


def _by_alias(body: Body, spaced: str) -> Iterator[str]:
    for pattern, names in ALIASES:
        near = pattern.search(spaced)
        sent = [name for name in names if _is_sent(body, name)]
        if near and sent and _REFUSES.search(spaced[max(near.start() - 100, 0): near.end() + 100]):
            yield from sent
            return


def _is_path_named(path: str, text: str) -> bool:
    """Say whether a field is named: by its name, or a part of a field also by the whole path to it."""
    head, _, inner = path.partition(".")
    if inner and re.search(rf"\b{head}(?:\.\w+)?[.\[]['\"]?{inner}\b", text):
        return True
    return _is_named(inner or head, text, needs_mark=_is_plain(path))


def _words_of_messages(body: Body, text: str) -> Iterator[str]:
    sent = _roles_of(body)
    if "developer" in sent and (near := _DEVELOPER.search(text)) and _says_no(text, near):
        yield "role:developer"
    elif "system" in sent and (_NO_SYSTEM.search(text) or ((near := _SYSTEM.search(text)) and _says_no(text, near))):
        yield "role:system"
    if _has_null_content(body) and _NULL_CONTENT.search(text):
        yield "content:null"
    if body.get("stream") and (near := _STREAM.search(text)) and _says_no(text, near):
        yield "stream"
    if "cache_control" in text and any(_has_key(body.get(part), "cache_control") for part in CACHED_PARTS):
        yield "cache_control"


def _says_no(text: str, near: re.Match[str]) -> bool:
    """Say whether a word of refusal stands beside a word that is common by itself."""
    around = text[max(near.start() - 60, 0): near.end() + 60]
    return bool(_SAYS_NO.search(around)) and bool(_REFUSES.search(around))


def _is_plain(name: str) -> bool:
    """Say whether a field's name is a word that any sentence may hold."""
    return "_" not in name and name not in {"temperature", "logprobs", "seed"}


def _is_named(name: str, text: str, *, needs_mark: bool = False) -> bool:
    """Say whether a field is named, in any spelling; a plain word counts in quotes, or as a parameter, only."""
    spelling = r"[\s_\-.]*".join(map(re.escape, _CAMEL.sub("_", name).lower().split("_")))
    if needs_mark and "_" not in name:
        kind = "(?:parameter|param|field|argument|property|input)"
        marks = (rf"[\"'`]{spelling}[\"'`]", rf"\b{kind}:?\s+{spelling}\b", rf"\b{spelling}\s+{kind}\b",
                 rf"^{spelling}\s*:")
        return any(re.search(mark, text) for mark in marks)
    return re.search(rf"(?<![a-z0-9]){spelling}(?![a-z0-9])", text) is not None


def _optional_paths(body: Body) -> Iterator[str]:
    """Yield every field that may be left out, and the parts of those that have parts."""
    for name, value in body.items():
        if name in ESSENTIAL:
            continue
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value if inner != "type")  # pyright: ignore[reportUnknownVariableType]


def _is_sent(body: Body, name: str) -> bool:
    head, _, inner = name.partition(".")
    value: Any = body.get(head)
    return head in body and (not inner or (isinstance(value, dict) and inner in value))


def _messages_of(body: Body) -> Iterator[Mapping[str, Any]]:
    for part in PARTS:
        listed: Any = body.get(part)
        if isinstance(listed, list):
            yield from (each for each in listed if isinstance(each, dict))  # pyright: ignore[reportUnknownVariableType]


def _roles_of(body: Body) -> set[str]:
    return {str(message.get("role")) for message in _messages_of(body)}


def _has_null_content(body: Body) -> bool:
    return any("content" in message and message["content"] is None for message in _messages_of(body))


def _extra_message_fields(body: Body) -> set[str]:
    extra = {name for message in _messages_of(body) for name in message} - MESSAGE_FIELDS
    return extra | {"name" for message in _messages_of(body) if "role" in message and "name" in message}


def _in_schemas(body: Body, text: str) -> Iterator[str]:
    """Yield the keywords of the tools' schemas that a text refuses: at the end of a path first, then in quotes."""
    sent = {word for schema in tool_schemas(body) for word in _keywords_of(schema, 0)}
    if not sent:
        return
    if LIST_OF_TYPES in sent and _LIST_OF_TYPES.search(text):
        yield f"schema:{LIST_OF_TYPES}"
        return
    at_end = {word for word in re.findall(r"\.(\$?\w+)(?:\[\d+\])?['\"]?\s*[:(]", text) if word in sent}
    quoted = {word for word in re.findall(r"[\"'`](\$?\w+)[\"'`]", text) if word in sent}
    bare = {word for word in sent if (word != word.lower() or word[0] == "$") and re.search(
        rf"(?<![\w$]){re.escape(word)}(?!\w)", text)}
    lists = {word for word in sent & {"oneOf", "allOf", "anyOf"} if word in text}
    yield from (f"schema:{word}" for word in at_end or quoted | bare | lists)


def _keywords_of(schema: Any, depth: int) -> Iterator[str]:
    if depth > 32:
        return
    if isinstance(schema, dict):
        for name, value in schema.items():  # pyright: ignore[reportUnknownVariableType]
            if name in KEYWORDS:
                yield str(name)  # pyright: ignore[reportUnknownArgumentType]
            elif name == "type" and isinstance(value, list):
                yield LIST_OF_TYPES
            yield from _keywords_of(value, depth + 1)
    elif isinstance(schema, list):
        for item in schema:  # pyright: ignore[reportUnknownVariableType]
            yield from _keywords_of(item, depth + 1)


def _has_key(value: Any, key: str, depth: int = 0) -> bool:
    if depth > MAX_NESTING:
        return False
    if isinstance(value, dict):
        return key in value or any(_has_key(each, key, depth + 1) for each in value.values())  # pyright: ignore[reportUnknownVariableType]
    return isinstance(value, list) and any(_has_key(each, key, depth + 1) for each in value)  # pyright: ignore[reportUnknownVariableType]


def without(body: Body, refused: frozenset[str]) -> Body:
    """Return the request as it is sent where these features are refused; what it is made of is not changed."""
    if not refused:
        return body
    written = dict(body)
    if words := frozenset(each.removeprefix("schema:") for each in refused if each.startswith("schema:")):
        written["tools"] = without_keywords(written.get("tools"), words)
    _rewrite_messages(written, refused)
    _rewrite_limit(written, refused)
    if "cache_control" in refused:
        for part in CACHED_PARTS:
            if part in written:
                written[part] = _stripped(written[part], "cache_control")
    if "stream" in refused:
        written["stream"] = False
        written.pop("stream_options", None)
    for name in refused:
        _leave_out(written, name)
    return written


def _leave_out(body: Body, name: str) -> None:
    head, _, inner = name.partition(".")
    if ":" in name or head in ESSENTIAL or head not in body:
        return
    if inner:
        kept: Any = body[head]
        if isinstance(kept, dict) and (rest := {key: value for key, value in kept.items() if key != inner}):  # pyright: ignore[reportUnknownVariableType]
            body[head] = rest
            return
    value = body.pop(head)
    if head == "tool_choice" and "messages" in body and value == "none":
        # Without a word for "call nothing now" the only way to say it is to offer nothing.
        body.pop("tools", None)
        body.pop("parallel_tool_calls", None)


def _rewrite_limit(body: Body, refused: frozenset[str]) -> None:
    """Give the answer's limit another name, or leave it out where every name is refused."""
    for name in LIMITS:
        if name in body and f"limit:{name}" in refused:
            value = body.pop(name)
            others = ("max_completion_tokens", "max_tokens") if "messages" in body else ("max_output_tokens",)
            if other := next((each for each in others if f"limit:{each}" not in refused), None):
                body[other] = value
            return


def _rewrite_messages(body: Body, refused: frozenset[str]) -> None:
    part = next((each for each in ("messages", "input") if isinstance(body.get(each), list)), None)
    gone = {each.removeprefix("message:") for each in refused if each.startswith("message:")}
    if part is None or not (gone or refused & {"role:system", "role:developer", "content:null", "instructions"}):
        return
    messages = [_rewritten(message, gone, refused) if isinstance(message, dict) else message for message in body[part]]
    if "role:system" in refused or "instructions" in refused:
        messages = _merged(messages, str(body.pop("instructions", "") or "") if "instructions" in refused else "")
    body[part] = messages


def _rewritten(message: Mapping[str, Any], gone: set[str], refused: frozenset[str]) -> dict[str, Any]:
    written = {key: value for key, value in message.items() if key not in gone}
    if "content:null" in refused and "content" in written and written["content"] is None:
        written["content"] = ""
    if written.get("role") == "developer" and "role:developer" in refused:
        written["role"] = "system"
    return written


def _merged(messages: list[Any], instructions: str) -> list[Any]:
    """Put the instructions before the first words of the user, for models that know no other place for them."""
    system = [m for m in messages if isinstance(m, dict) and m.get("role") == "system"]
    text = "\n\n".join(told for told in (instructions, *(_text(m.get("content")) for m in system)) if told)
    rest = [m for m in messages if m not in system]
    if not text:
        return rest
    first = next((m for m in rest if isinstance(m, dict) and m.get("role") == "user"), None)
    if first is None:
        return [{"role": "user", "content": text}, *rest]
    content = first.get("content")
    first["content"] = [{"type": content[0].get("type", "text"), "text": text}, *content] \
        if isinstance(content, list) and content and content[0].get("type") in {"text", "input_text"} \
        else f"{text}\n\n{_text(content)}"
    return rest


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "")


def _stripped(value: Any, key: str, depth: int = 0) -> Any:
    if depth > MAX_NESTING:
        return value
    if isinstance(value, dict):
        return {name: _stripped(each, key, depth + 1) for name, each in value.items() if name != key}  # pyright: ignore[reportUnknownVariableType]
    return [_stripped(each, key, depth + 1) for each in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]
