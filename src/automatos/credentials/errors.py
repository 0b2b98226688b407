"""What can go wrong with credentials."""

from automatos.kernel.errors import NotFound, Problem


class CredentialNotFound(NotFound):
    """The workspace has no such credential."""

    code = "credential_not_found"
    title = "No such credential"

    def __init__(self) -> None:
        super().__init__("This workspace has no such credential. GET /api/credentials lists them.")


class CredentialNameTaken(Problem):
    """Another credential of the workspace has this name."""

    status = 409
    code = "credential_name_taken"
    title = "The name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"This workspace already has a credential named {name!r}. Choose another name.", field="name")


class UnknownProvider(Problem):
    """No provider has this name."""

    status = 422
    code = "unknown_provider"
    title = "There is no such provider"

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no provider named {name!r}. Choose one of: {', '.join(known)}.",
                         field="provider", known=known)


class UnknownCredentialType(Problem):
    """No type of credentials has this name."""

    status = 422
    code = "unknown_credential_type"
    title = "There is no such type of credentials"

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no type of credentials named {name!r}. Choose one of: {', '.join(known)}.",
                         field="credential_type", known=known)


class CredentialInvalidHere(Problem):
    """The fields of a credential do not fit its type or provider; the reasons never repeat what was sent."""

    status = 422
    code = "credential_invalid"
    title = "The credential does not fit its type"

    def __init__(self, field: str, reason: str, *others: tuple[str, str]) -> None:
        errors = [{"field": at, "reason": why} for at, why in ((field, reason), *others)]
        more = f" (and {len(others)} more)" if others else ""
        super().__init__(f"{field}: {reason}{more}", field=field, errors=errors)


class CredentialLimitReached(Problem):
    """The workspace has as many credentials as it may have."""

    status = 409
    code = "credential_limit_reached"
    title = "There are too many credentials"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A workspace holds at most {limit} credentials. Delete those that nobody uses.")


class CredentialUntestable(Problem):
    """There is no way to try this credential."""

    status = 409
    code = "credential_untestable"
    title = "The credential cannot be tried"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class CredentialUnreadable(Problem):
    """A stored credential cannot be opened with any key of this server."""

    status = 500
    code = "credential_unreadable"
    title = "A stored credential cannot be opened"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The credential {name!r} was sealed with a key this server does not have. Restore the file that held it "
            "in the folder keys/ of AUTOMATOS_HOME and restart the server, or enter the fields of the credential again."
        )


class CredentialUnfit(Problem):
    """A stored credential cannot be used for this; nothing of it was sent anywhere."""

    status = 422
    code = "credential_unfit"
    title = "The credential cannot be used for this"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"credential_id: {name!r} {why}. Choose another credential, or change this one.",
                         field="credential_id")
