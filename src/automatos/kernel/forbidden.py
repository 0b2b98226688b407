"""Why a provider forbids something (403): most of what it forbids says nothing against the key."""

import re
from enum import StrEnum

from automatos.kernel.error_bodies import ProviderError

NO_CREDIT = re.compile(r"(?i)insufficient[_ ](?:quota|balance|funds|credit)|exceeded your current quota|"
                       r"credit balance|billing|payment|out of credits|余额")
BAD_KEY = re.compile(r"(?i)(?:incorrect|invalid|wrong|expired|missing|no)\s+(?:api[_ -]?)key|api[_ -]?key.{0,30}"
                     r"(?:not valid|invalid|incorrect|expired|not found|missing)|API_KEY_INVALID|invalid_api_key")
_KEY = re.compile(r"(?i)api[_ -]?key|\bkey\b|\btoken\b|credential|unauthori[sz]ed|authenticat|x-api-key")
_MODERATED = re.compile(r"(?i)moderat|flagged|content[_ ](?:policy|filter|management)|safety|prohibited|harmful|"
                        r"usage polic|sensitive|敏感|违规")
_PLACE = re.compile(r"(?i)\b(?:country|countries|region|territory|location)\b|unsupported_country|geo")
_RIGHTS = re.compile(r"(?i)permission|access|not allowed|not authori[sz]ed|scope|organi[sz]ation|project|terms|verif|"
                     r"subscription|plan\b|tier|gated|forbidden|denied|endpoint|policy")


class Forbidden(StrEnum):
    """What a 403 is about."""

    KEY = "key"
    MODERATED = "moderated"
    PLACE = "place"
    CREDIT = "credit"
    RIGHTS = "rights"
    PAGE = "page"


_BY_WORDS = ((BAD_KEY, Forbidden.KEY), (_MODERATED, Forbidden.MODERATED), (_PLACE, Forbidden.PLACE),
             (NO_CREDIT, Forbidden.CREDIT))
"""The words of each, in the order they are looked for."""


def why_forbidden(error: ProviderError) -> Forbidden:
    """Tell a bad key from what else is forbidden: a prompt, a place, a model, or everything by a firewall."""
    if error.is_page:
        return Forbidden.PAGE
    for words, why in _BY_WORDS:
        if words.search(error.hints):
            return why
    is_about_rights = _RIGHTS.search(error.message) and not _KEY.search(error.message)
    return Forbidden.RIGHTS if is_about_rights else Forbidden.KEY
