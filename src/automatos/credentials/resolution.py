"""The six levels at which a secret is looked for, as pure rules over what a workspace holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from automatos.credentials.types import OPENAI_WIRES, CredentialLevel, Environment, Provider, SearchedPlace

CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Held:
    """A credential as it is looked for; newer ones come first in a list of them."""

    id: UUID
    name: str
    provider: str
    environment: str
    is_active: bool = True
    expires_at: datetime | None = None

    def obstacle(self, at: datetime) -> str | None:
        """Say why it is not used at this time, None when it may be."""
        if not self.is_active:
            return "is switched off"
        if self.expires_at is not None and self.expires_at <= at:
            return f"expired at {self.expires_at:%Y-%m-%d %H:%M} UTC"
        return None

    def opens(self, provider: Provider) -> bool:
        """Say whether it may open a provider by its name: its own, or any of the same wire for a custom endpoint."""
        return self.provider == provider.name or (self.provider == CUSTOM and provider.wire in OPENAI_WIRES)


@dataclass(slots=True)
class Search:
    """One search for the credential of a provider, with a note of every place it looked at."""

    held: Sequence[Held]
    provider: Provider
    at: datetime
    looks: list[SearchedPlace]

    def run(self, environment: Environment, explicit: str | None) -> tuple[Held, CredentialLevel] | None:
        """Return the credential and the level it was found at; None leaves the environment variables."""
        if explicit is None:
            self._note(CredentialLevel.EXPLICIT_NAME, "a name chosen in settings", "none is chosen")
        elif found := self._explicit(explicit):
            return found, CredentialLevel.EXPLICIT_NAME
        if found := self._inside(environment):
            return found
        other = other_environment(environment)
        if found := Search(self.held, self.provider, self.at, []).any_inside(other):
            self._note(CredentialLevel.OTHER_ENVIRONMENT, f"the same in {other.value}", f"{found.name!r} is used")
            return found, CredentialLevel.OTHER_ENVIRONMENT
        self._note(CredentialLevel.OTHER_ENVIRONMENT, f"the same in {other.value}", "nothing there")
        return None

    def any_inside(self, environment: Environment) -> Held | None:
        """Return the credential of one environment, by name, type or a variant of a name."""
        found = self._inside(environment)
        return found[0] if found else None

    def _explicit(self, name: str) -> Held | None:
        matching = [held for held in self.held if held.name == name]
        fitting = [held for held in matching if held.opens(self.provider)]
        sought = f"the credential {name!r} that settings choose"
        if found := self._first_usable(CredentialLevel.EXPLICIT_NAME, sought, fitting):
            return found
        if not fitting:
            outcome = "it is not of this provider" if matching else "there is none"
            self._note(CredentialLevel.EXPLICIT_NAME, sought, outcome)
        return None

    def _inside(self, environment: Environment) -> tuple[Held, CredentialLevel] | None:
        here = [held for held in self.held if held.environment == environment.value]
        names = standard_names(self.provider.name, environment)
        where = f"in {environment.value}"
        by_name = [held for name in names for held in here if held.name == name and held.opens(self.provider)]
        of_type = [held for held in here if held.provider == self.provider.name]
        by_variant = [held for name in names for held in here
                      if held.name.casefold() == name and held.opens(self.provider)]
        for level, sought, candidates in (
            (CredentialLevel.NAME, f"one named {', '.join(names)} {where}", by_name),
            (CredentialLevel.TYPE, f"the newest of type {self.provider.credential_type} {where}", of_type),
            (CredentialLevel.NAME_VARIANT, f"one with such a name in other letter case {where}", by_variant),
        ):
            if found := self._first_usable(level, sought, candidates):
                return found, level
            if not candidates:
                self._note(level, sought, "there is none")
        return None

    def _first_usable(self, level: CredentialLevel, sought: str, candidates: Sequence[Held]) -> Held | None:
        for held in candidates:
            obstacle = held.obstacle(self.at)
            self._note(level, sought, f"{held.name!r} {obstacle}" if obstacle else f"{held.name!r} is used")
            if obstacle is None:
                return held
        return None

    def _note(self, level: CredentialLevel, sought: str, outcome: str) -> None:
        self.looks.append(SearchedPlace(level, sought, outcome))


def standard_names(provider: str, environment: Environment) -> list[str]:
    """Return the names by which a credential says what it is for, in the order they are tried."""
    return [f"{environment.value}_{provider}_api", f"{environment.value}_{provider}", f"{provider}_api", provider]


def other_environment(environment: Environment) -> Environment:
    """Return where to look when an environment has nothing: in development, and from there in production."""
    return Environment.PRODUCTION if environment is Environment.DEVELOPMENT else Environment.DEVELOPMENT
