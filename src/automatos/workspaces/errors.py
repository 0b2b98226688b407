"""What can go wrong with people, keys and workspaces."""

from typing import ClassVar

from automatos.kernel.errors import NotFound, Problem
from automatos.workspaces.types import Role

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="automatos"'}


class NotSignedIn(Problem):
    """The request carries no credential and this route needs one."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "not_signed_in"
    title: ClassVar[str] = "Sign in first"

    def __init__(self) -> None:
        super().__init__(
            "This request carries no credential. Sign in, or send an API key in X-API-Key or a token in "
            "Authorization: Bearer.",
            headers=CHALLENGE,
        )


class CredentialInvalid(Problem):
    """A credential was sent and is not accepted; no other one in the request is tried."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "invalid_credential"
    title: ClassVar[str] = "The credential is not accepted"

    def __init__(self, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail, headers=CHALLENGE | (headers or {}))


class CredentialAmbiguous(Problem):
    """A header that carries a credential was sent twice."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "ambiguous_credential"
    title: ClassVar[str] = "Send one credential"

    def __init__(self, header: str) -> None:
        super().__init__(f"The header {header} was sent more than once. Send it once.")


class SameOriginRequired(Problem):
    """A change asked for by a browser did not prove that it comes from this site."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "same_origin_required"
    title: ClassVar[str] = "The request does not come from this site"

    def __init__(self) -> None:
        super().__init__(
            "A change made with a browser's sign-in must come from this site's own pages, at AUTOMATOS_PUBLIC_URL or a "
            "host of AUTOMATOS_TRUSTED_HOSTS. A program sends X-Requested-With: automatos, or uses an API key."
        )


class IssuerUnavailable(Problem):
    """The identity provider's signing keys cannot be fetched, so no new token can be checked."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "issuer_unavailable"
    title: ClassVar[str] = "The identity provider does not answer"

    def __init__(self) -> None:
        super().__init__(
            "The signing keys of the identity provider could not be fetched, so the token cannot be checked. "
            "Try again in a few seconds; if it goes on, check AUTOMATOS_JWKS_URL or AUTOMATOS_OIDC_ISSUER.",
            headers={"Retry-After": "5"},
        )


class IssuerUnnamed(Problem):
    """Keys of an identity provider are configured, and whose they are is not."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "issuer_unnamed"
    title: ClassVar[str] = "The identity provider has no name"

    def __init__(self, jwks_url: str | None) -> None:
        where = f"The address {jwks_url} does not tell" if jwks_url else "AUTOMATOS_JWT_KEY does not tell"
        super().__init__(
            f"{where} who issues the tokens, and without that every one would be refused. Set AUTOMATOS_JWT_ISSUER to "
            "the `iss` that the tokens have, letter for letter: `issuer` in the provider's "
            "/.well-known/openid-configuration."
        )


class WorkspaceIdInvalid(Problem):
    """The workspace a request names is empty, malformed or named twice."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid_workspace_id"
    title: ClassVar[str] = "The workspace id is not valid"

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where} {what}. Send the id of one workspace as a UUID, or leave it out.", field=where)


class NotAMember(Problem):
    """The caller does not belong to the workspace they name; one that does not exist answers alike."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "not_a_member"
    title: ClassVar[str] = "You are not a member of this workspace"

    def __init__(self) -> None:
        super().__init__(
            "You are not a member of the workspace you named. GET /api/workspaces lists yours; "
            "for another one, ask its admin for an invitation."
        )


class AllWorkspacesRefused(Problem):
    """Reading across all workspaces was asked for by somebody, or on a route, that may not."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "all_workspaces_refused"
    title: ClassVar[str] = "Not across all workspaces"

    def __init__(self) -> None:
        super().__init__("Only system admins may name __all__, and only to read on routes that offer it. "
                         "Name one workspace in X-Workspace-ID.")


class RoleTooLow(Problem):
    """The caller's role in this workspace is not enough for this."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "role_too_low"
    title: ClassVar[str] = "Your role does not allow this"

    def __init__(self, needed: Role, held: Role) -> None:
        super().__init__(
            f"This needs the role {needed} in this workspace and yours is {held}. Ask an admin of the workspace.",
            needed_role=needed.value, role=held.value,
        )


class SystemAdminRequired(Problem):
    """Only an admin of the whole server may do this."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "system_admin_required"
    title: ClassVar[str] = "Only for system admins"

    def __init__(self) -> None:
        super().__init__("Only a system admin of this server may do this. Sign in as one of them, send the operator's "
                         "key (AUTOMATOS_API_KEY), or on the server run: automatos admin grant <email>")


class ApiKeyRequired(Problem):
    """This route is for programs: it takes API keys only."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "api_key_required"
    title: ClassVar[str] = "Use an API key"

    def __init__(self) -> None:
        super().__init__("This route takes API keys only. Send one in X-API-Key, or set REQUIRE_API_KEY=false.")


class PersonRequired(Problem):
    """This is for signed-in people, not for keys."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "person_required"
    title: ClassVar[str] = "Only for signed-in people"

    def __init__(self) -> None:
        super().__init__("Keys and the single-user mode cannot do this. Sign in as a person.")


class TokenRequired(Problem):
    """Only a token of the identity provider can be traded for a cookie."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "token_required"
    title: ClassVar[str] = "Send a token"

    def __init__(self) -> None:
        super().__init__("Only a token of the identity provider can be traded for a cookie. "
                         "Send it as Authorization: Bearer <token>.")


class SignInRefused(Problem):
    """Signing in at the identity provider did not work; `reason` is what the sign-in page explains."""
    status: ClassVar[int] = 401
    code: ClassVar[str] = "sign_in_refused"
    title: ClassVar[str] = "Signing in at the identity provider did not work"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class WrongSignIn(Problem):
    """The email address and the password do not belong together; which of them is wrong is not told."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "wrong_email_or_password"
    title: ClassVar[str] = "Wrong email address or password"

    def __init__(self) -> None:
        super().__init__("The email address or the password is wrong. Check both and try again.")


class WrongPassword(Problem):
    """The present password of somebody who is signed in is wrong, or they have none."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "wrong_password"
    title: ClassVar[str] = "This is not your present password"

    def __init__(self) -> None:
        super().__init__("current_password: this is not your present password. Type the one you signed in with.",
                         field="current_password")


class TooManyAttempts(Problem):
    """Somebody tries passwords too fast."""

    status: ClassVar[int] = 429
    code: ClassVar[str] = "too_many_attempts"
    title: ClassVar[str] = "Too many attempts"

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"Too many attempts from your address. Wait {wait_s} seconds and try again.",
                         headers={"Retry-After": str(wait_s)})


class AlreadySetUp(Problem):
    """The first account exists, so set-up is closed for good."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "already_set_up"
    title: ClassVar[str] = "The server is already set up"

    def __init__(self) -> None:
        super().__init__("This server already has an account or a system admin. Sign in, ask a system admin, or on the "
                         "server run: automatos admin list")


class SetupRefused(Problem):
    """Set-up was tried from elsewhere without the one-time token."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "setup_refused"
    title: ClassVar[str] = "Set-up needs the one-time token"

    def __init__(self) -> None:
        super().__init__("The first account is made on the server's own machine, or with the one-time token "
                         "that the server printed when it started. Send that as `token`.")


class AccountNotFound(NotFound):
    """No account has this email address, or number, or identity."""

    code: ClassVar[str] = "account_not_found"

    def __init__(self, who: str) -> None:
        super().__init__(f"No account here is called {who}, or several are. People of an identity provider have one "
                         "after their first sign-in. See: automatos admin list --everybody")


class LastAdmin(Problem):
    """The only system admin would be no longer one."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "last_admin"
    title: ClassVar[str] = "The last system admin"

    def __init__(self) -> None:
        super().__init__("This is the only system admin. Grant the role to somebody else first.")


class EmailTaken(Problem):
    """An account with this email address exists."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "email_taken"
    title: ClassVar[str] = "The email address has an account"

    def __init__(self) -> None:
        super().__init__("This email address already has an account here. Sign in with it and accept the invitation.")


class SlugTaken(Problem):
    """Another workspace has this short name."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "slug_taken"
    title: ClassVar[str] = "The short name is taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"Another workspace has the short name {slug!r}. Choose another one.", field="slug")


class MemberNotFound(NotFound):
    """The workspace has no such member."""

    code: ClassVar[str] = "member_not_found"
    title: ClassVar[str] = "No such member"

    def __init__(self) -> None:
        super().__init__("This workspace has no such member. GET /api/workspaces/{id}/members lists them.")


class AlreadyMember(Problem):
    """The invited person belongs to the workspace."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "already_member"
    title: ClassVar[str] = "Already a member"

    def __init__(self) -> None:
        super().__init__("This person is already a member of the workspace. Change their role instead.")


class InvitationPending(Problem):
    """The address has an open invitation."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "invitation_pending"
    title: ClassVar[str] = "Already invited"

    def __init__(self) -> None:
        super().__init__("This address has an open invitation. Revoke it first to send another one.")


class InvitationInvalid(NotFound):
    """No open invitation belongs to this token, or it is for somebody else."""

    code: ClassVar[str] = "invitation_invalid"
    title: ClassVar[str] = "The invitation is not valid"

    def __init__(self) -> None:
        super().__init__("The invitation was used or withdrawn, has expired, or is for another email address. "
                         "Ask for a new one.")


class OwnerProtected(Problem):
    """An owner can only be changed by themselves, and the last one not at all."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "owner_protected"
    title: ClassVar[str] = "The owner is protected"

    def __init__(self) -> None:
        super().__init__("Nobody else can demote or remove an owner, and a workspace keeps at least one. "
                         "Make another member owner first; then the owner can step down.")


class GrantTooHigh(Problem):
    """Somebody tried to give away more than they hold."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "grant_too_high"
    title: ClassVar[str] = "You cannot grant more than you hold"

    def __init__(self, wanted: Role, held: Role) -> None:
        super().__init__(f"You are {held} here and cannot grant or change the role {wanted}.",
                         role=held.value, wanted_role=wanted.value)


class ManagedElsewhere(Problem):
    """The members of this workspace come from an identity provider's organisation."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "managed_elsewhere"
    title: ClassVar[str] = "Members are managed by the identity provider"

    def __init__(self) -> None:
        super().__init__("This workspace mirrors an organisation of your identity provider. Change its members there.")


class SessionNotFound(NotFound):
    """The caller has no such session."""

    code: ClassVar[str] = "session_not_found"
    title: ClassVar[str] = "No such session"

    def __init__(self) -> None:
        super().__init__("You have no such session; it may have ended. GET /api/auth/sessions lists yours.")


class ApiKeyNotFound(NotFound):
    """The workspace has no such active key."""

    code: ClassVar[str] = "api_key_not_found"
    title: ClassVar[str] = "No such API key"

    def __init__(self) -> None:
        super().__init__("This workspace has no such API key. GET /api/api-keys lists the active ones.")
