"""What can be wrong with a condition."""


class ConditionInvalid(ValueError):
    """A text is no condition; the message says where it goes wrong and what can be written instead."""


class ConditionFailed(ValueError):
    """A condition has no answer for these values; the message says why and what to do."""
