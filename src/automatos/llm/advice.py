"""Which models fit a task: rules in `advice.yaml` over the data of the catalogue, each answer with its reason."""

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from automatos.kernel.shipped import read_shipped
from automatos.llm.answers import ModelRecommendation, RecommendationList
from automatos.llm.bodies import ModelNeeds
from automatos.llm.errors import UnknownTask
from automatos.llm.models import LlmModel
from automatos.llm.schemas import Model
from automatos.llm.types import ModelStatus

GENERAL = "general"
ROOMY_CONTEXT = 200_000
HUGE_CONTEXT = 900_000
CHEAP_PER_1K = Decimal("0.002")
FAIR_PER_1K = Decimal("0.012")
DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Rules:
    """How models are ranked."""

    levels: dict[str, int]
    recommended: int
    preferred: int
    tasks: dict[str, dict[str, Any]]


@cache
def rules() -> Rules:
    """Return the rules of `advice.yaml`."""
    return Rules(**read_shipped("automatos.llm", "advice.yaml"))


def task_names() -> list[str]:
    """Return every kind of task there is."""
    return list(rules().tasks)


def recognise(task_type: str) -> str:
    """Return the kind of task that a text names or speaks of, `general` when it speaks of none."""
    said = task_type.lower().replace("-", "_").replace(" ", "_")
    if said in rules().tasks:
        return said
    words = set(re.findall(r"[a-z]+", task_type.lower()))
    counted = {task: len(words & set(about["words"])) for task, about in rules().tasks.items()}
    best = max(counted, key=lambda task: counted[task])
    return best if counted[best] else GENERAL


def models_for(models: Sequence[LlmModel], task: str) -> list[LlmModel]:
    """Return the models that are recommended for a kind of task.

    Raises:
        UnknownTask: there is no such kind; names those there are.
    """
    if task not in rules().tasks:
        raise UnknownTask(task, task_names())
    return [model for model in models if task in model.recommended_for]


def recommend(models: Sequence[LlmModel], needs: ModelNeeds, configured: Set[str]) -> RecommendationList:
    """Rank the models that meet the needs: those that can be asked now first, then by score, then the cheaper one."""
    task = recognise(needs.task_type)
    left_out: Counter[str] = Counter()
    fitting: list[LlmModel] = []
    for model in models:
        if model.provider == DEMO:
            continue
        if lack := _lack(model, needs):
            left_out[lack] += 1
        else:
            fitting.append(model)
    scored = [(_score(model, task, needs), model) for model in fitting]
    scored.sort(key=lambda each: (each[1].provider not in configured, -each[0], _price(each[1]) is None,
                                  _price(each[1]) or 0, each[1].provider, each[1].model_id))
    items = [_recommendation(model, score, task, model.provider in configured) for score, model in scored]
    return RecommendationList(task=task, items=items[: needs.limit], total=len(items), left_out=dict(left_out))


def _lack(model: LlmModel, needs: ModelNeeds) -> str | None:
    """Return which need a model does not meet, None when it meets all."""
    price = _price(model)
    lacks = {
        "status": model.status not in {ModelStatus.ACTIVE, ModelStatus.BETA},
        "require_functions": needs.require_functions and not model.supports_functions,
        "require_vision": needs.require_vision and not model.supports_vision,
        "min_context": needs.min_context is not None and (model.context_window or 0) < needs.min_context,
        "max_cost": needs.max_cost is not None and (price is None or price > needs.max_cost),
        "required_capabilities": any(not has_capability(model, name) for name in needs.required_capabilities),
    }
    return next((name for name, is_lacking in lacks.items() if is_lacking), None)


def has_capability(model: LlmModel, name: str) -> bool:
    """Say whether a model can do something: what its entry lists, and functions, vision, streaming."""
    switches = {"functions": model.supports_functions, "vision": model.supports_vision,
                "streaming": model.supports_streaming}
    return switches.get(name, False) or bool(model.capabilities.get(name))


def _price(model: LlmModel) -> Decimal | None:
    """Return what 1,000 tokens in and 1,000 out cost together, None when unknown."""
    if model.input_cost_per_1k_tokens is None or model.output_cost_per_1k_tokens is None:
        return None
    return model.input_cost_per_1k_tokens + model.output_cost_per_1k_tokens


def _score(model: LlmModel, task: str, needs: ModelNeeds) -> float:
    weights: dict[str, int] = rules().tasks[task]["weights"]
    score = sum(weight * _strength(model, name) for name, weight in weights.items())
    score += rules().recommended if task in model.recommended_for else 0
    score += rules().preferred if model.provider == needs.prefer_provider else 0
    return float(score)


def _strength(model: LlmModel, name: str) -> int:
    """Return how strong a model is in something, from 0 to the highest level."""
    best = max(rules().levels.values())
    if name == "cheap":
        price = _price(model)
        return 0 if price is None else best if price <= CHEAP_PER_1K else best - 1 if price <= FAIR_PER_1K else 0
    if name == "context":
        window = model.context_window or 0
        return best if window >= HUGE_CONTEXT else best - 1 if window >= ROOMY_CONTEXT else 0
    if name in {"vision", "functions"}:
        return best if has_capability(model, name) else 0
    return rules().levels.get(str(model.capabilities.get(name)), 0)


def _recommendation(model: LlmModel, score: float, task: str, is_configured: bool) -> ModelRecommendation:
    return ModelRecommendation(model=Model.model_validate(model), provider=model.provider, model_id=model.model_id,
                          display_name=model.display_name, score=score, configured=is_configured,
                          reason=_reason(model, task, is_configured))


def _reason(model: LlmModel, task: str, is_configured: bool) -> str:
    """Say in words what speaks for a model."""
    weights: dict[str, int] = rules().tasks[task]["weights"]
    strong = [name for name in weights if name in model.capabilities and _strength(model, name) >= 3]
    parts = [f"Recommended for {task.replace('_', ' ')}"] if task in model.recommended_for else []
    parts += [f"strong in {' and '.join(strong)}"] if strong else []
    parts += [f"reads {model.context_window:,} tokens at once"] if model.context_window else []
    price = _price(model)
    parts += [f"${price * 1000:.2f} for a million tokens in and out"] if price is not None else ["price unknown"]
    parts += [] if is_configured else [f"needs a credential for {model.provider} first"]
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."
