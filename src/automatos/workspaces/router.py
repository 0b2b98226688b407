"""HTTP of people, their sessions, workspaces, members and invitations."""

from dataclasses import replace
from importlib.metadata import version
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response, status

from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.openapi import problems
from automatos.kernel.services import services_of
from automatos.workspaces import (
    admins,
    errors,
    invitations,
    members,
    schemas,
    sessions,
    setup,
    workspace,
)
from automatos.workspaces.authenticate import RequestAuthenticator, SignInServices
from automatos.workspaces.carriers import (
    client_address,
    is_from_this_machine,
    is_https,
    public_address,
    require_same_origin,
)
from automatos.workspaces.deps import (
    Admin,
    AppDatabase,
    AppSettings,
    CurrentCaller,
    Owner,
    Session,
)
from automatos.workspaces.plan import PlanLimitReached
from automatos.workspaces.setup import sign_in_mode
from automatos.workspaces.types import SESSION_COOKIE, Caller, Carrier, Presented, Role

router = APIRouter(prefix="/api")


async def get_request_authenticator(request: Request) -> RequestAuthenticator:
    """Return this process's gatekeeper."""
    return services_of(request, SignInServices).authenticator


UserId = Annotated[int, Path(ge=1, le=2**31 - 1)]
AppRequestAuthenticator = Annotated[RequestAuthenticator, Depends(get_request_authenticator)]


@router.get("/auth/config", tags=["auth"])
async def get_auth_config(database: AppDatabase, settings: AppSettings) -> schemas.AuthConfig:
    """Tell a browser how people sign in here; public."""
    mode = sign_in_mode(settings)
    return schemas.AuthConfig(
        mode=mode, needs_setup=mode == "local" and await setup.needs_setup(database),
        needs_admin=mode not in {"local", "none"} and await admins.needs_admin(database),
        provider=settings.oidc_name if mode == "oidc" else None,
        passwords=mode == "local" or (mode == "oidc" and await setup.has_passwords(database)),
        clerk_publishable_key=settings.clerk_publishable_key, version=version("automatos"), demo=_is_demo(settings),
    )


@router.post(
    "/setup", status_code=status.HTTP_201_CREATED, tags=["auth"],
    responses=problems(errors.AlreadySetUp, errors.SetupRefused),
)
async def set_up_server(
    body: schemas.Setup, request: Request, response: Response, authenticator: AppRequestAuthenticator
) -> schemas.Me:
    """Make the first account and sign it in; public, and closed for good once any account exists."""
    opened = await setup.set_up(
        authenticator.database, authenticator.settings, authenticator.passwords, email=body.email, name=body.name,
        password=body.password, workspace_name=body.workspace_name, token=body.token,
        is_local=is_from_this_machine(request), user_agent=_agent(request),
    )
    return await _welcome(request, response, authenticator, opened)


@router.post(
    "/setup/admin", tags=["auth"],
    responses=problems(errors.AlreadySetUp, errors.SetupRefused, errors.PersonRequired),
)
async def become_system_admin(
    body: schemas.TakeOver, request: Request, caller: CurrentCaller, authenticator: AppRequestAuthenticator
) -> schemas.Me:
    """Become the first system admin of a server whose people come from an identity provider, once."""
    await admins.take_over(
        authenticator.database, authenticator.settings, caller, token=body.token, is_local=is_from_this_machine(request)
    )
    return await _describe(replace(caller, is_system_admin=True), authenticator.database)


@router.post("/auth/sign-in", tags=["auth"], responses=problems(errors.WrongSignIn, errors.TooManyAttempts))
async def sign_in(
    body: schemas.SignIn, request: Request, response: Response, authenticator: AppRequestAuthenticator
) -> schemas.Me:
    """Sign in with an email address and a password; public."""
    opened = await sessions.sign_in(
        authenticator.database, authenticator.settings, authenticator.passwords, authenticator.attempts,
        email=body.email,
        password=body.password, client_address=client_address(request), user_agent=_agent(request),
    )
    return await _welcome(request, response, authenticator, opened)


@router.post("/auth/sign-out", status_code=status.HTTP_204_NO_CONTENT, tags=["auth"])
async def sign_out(request: Request, response: Response, database: AppDatabase, settings: AppSettings) -> None:
    """End the session of the cookie, at once and for good; public, and the same without a session."""
    require_same_origin(request, proof_needed=SESSION_COOKIE in request.cookies)
    if token := request.cookies.get(SESSION_COOKIE):
        await sessions.sign_out(database, token)
    sessions.forget_session_cookie(response, settings)


@router.post("/auth/session", tags=["auth"], responses=problems(errors.TokenRequired))
async def open_session(
    request: Request, response: Response, caller: CurrentCaller, authenticator: AppRequestAuthenticator
) -> schemas.Me:
    """Trade a token of the identity provider for a cookie that lives an hour."""
    opened = await sessions.trade_token(authenticator.database, caller, _agent(request))
    return await _welcome(request, response, authenticator, opened, caller.workspace_id)


@router.put("/auth/password", tags=["auth"], responses=problems(
    errors.PersonRequired, errors.WrongPassword, errors.TooManyAttempts))
async def change_password(
    body: schemas.PasswordChange, request: Request, response: Response, caller: CurrentCaller,
    authenticator: AppRequestAuthenticator,
) -> schemas.Me:
    """Change the caller's password; every session of theirs ends, and the answer's cookie opens a new one."""
    opened = await sessions.change_password(
        authenticator.database, authenticator.settings, authenticator.passwords, authenticator.attempts, caller,
        current=body.current_password, new=body.new_password, user_agent=_agent(request),
    )
    return await _welcome(request, response, authenticator, opened)


@router.post("/auth/sign-out-everywhere", tags=["auth"], responses=problems(errors.PersonRequired))
async def sign_out_everywhere(
    response: Response, caller: CurrentCaller, database: AppDatabase, settings: AppSettings
) -> schemas.SessionsEnded:
    """End every session of the caller, on all machines, this one too; open streams end within about 20 s."""
    ended = await sessions.sign_out_everywhere(database, caller)
    sessions.forget_session_cookie(response, settings)
    return schemas.SessionsEnded(sessions_ended=ended)


@router.get("/auth/sessions", tags=["auth"], responses=problems(errors.PersonRequired))
async def list_sessions(caller: CurrentCaller, database: AppDatabase) -> schemas.SessionList:
    """List where the caller is signed in: how, until when, and when it was used last."""
    found = await sessions.list_sessions(database, caller)
    items = [schemas.SessionOut.of(each, is_current=each.token_hash == caller.proof) for each in found]
    return schemas.SessionList(items=items, total=len(items))


@router.delete("/auth/sessions/{session_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["auth"],
               responses=problems(errors.PersonRequired, errors.SessionNotFound))
async def end_session(session_id: UUID, caller: CurrentCaller, database: AppDatabase) -> None:
    """End one of the caller's sessions, at once; open streams of it end within about 20 s."""
    await sessions.end_session(database, caller, session_id)


@router.get("/auth/me", tags=["auth"])
async def get_me(caller: CurrentCaller, database: AppDatabase) -> schemas.Me:
    """Tell the caller who they are and where they may work."""
    return await _describe(caller, database)


@router.get("/workspaces", tags=["workspaces"])
async def list_workspaces(caller: CurrentCaller, database: AppDatabase) -> schemas.WorkspaceList:
    """List the workspaces the caller may work in."""
    found = await workspace.list_workspaces(database, caller)
    return schemas.WorkspaceList(items=[schemas.MembershipOut.model_validate(each) for each in found], total=len(found))


@router.post(
    "/workspaces", status_code=status.HTTP_201_CREATED, tags=["workspaces"],
    responses=problems(errors.PersonRequired, errors.SlugTaken),
)
async def create_workspace(
    body: schemas.WorkspaceNew, caller: CurrentCaller, database: AppDatabase
) -> schemas.MembershipOut:
    """Make a shared workspace that the caller owns."""
    made = await workspace.create_workspace(database, caller, body.name, body.slug)
    return schemas.MembershipOut.model_validate(made)


@router.get("/workspaces/{workspace_id}", tags=["workspaces"])
async def get_workspace(workspace_id: UUID, caller: CurrentCaller, session: Session) -> schemas.WorkspaceOut:
    """Read one workspace of the caller."""
    return schemas.WorkspaceOut.model_validate(await workspace.get_workspace(session, caller))


@router.put("/workspaces/{workspace_id}", tags=["workspaces"], responses=problems(errors.SlugTaken))
async def rename_workspace(
    workspace_id: UUID, body: schemas.WorkspaceChange, caller: Owner, session: Session
) -> schemas.WorkspaceOut:
    """Change the name or the short name of a workspace."""
    changed = await workspace.rename_workspace(session, caller, name=body.name, slug=body.slug)
    return schemas.WorkspaceOut.model_validate(changed)


@router.get("/workspaces/{workspace_id}/members", tags=["members"])
async def list_members(workspace_id: UUID, caller: CurrentCaller, session: Session) -> schemas.MemberList:
    """List the members of a workspace; admins also see the open invitations."""
    found = await members.list_members(session, caller)
    is_admin = caller.role >= Role.ADMIN
    invited = await invitations.list_invitations(session, caller) if is_admin else []
    barred = await members.list_barred(session, caller) if is_admin else []
    return schemas.MemberList(
        items=[schemas.MemberOut.model_validate(each) for each in found], total=len(found),
        invitations=[schemas.InvitationOut.model_validate(each) for each in invited],
        barred_user_ids=[each.id for each in barred],
        barred=[schemas.BarredOut(user_id=each.id, email=each.email, name=each.name) for each in barred],
    )


@router.post(
    "/workspaces/{workspace_id}/members/invite", status_code=status.HTTP_201_CREATED, tags=["members"],
    responses=problems(errors.AlreadyMember, errors.InvitationPending, PlanLimitReached, errors.GrantTooHigh),
)
async def invite_member(
    workspace_id: UUID, body: schemas.InvitationNew, request: Request, caller: Admin, session: Session
) -> schemas.InvitationMade:
    """Invite an email address; the answer's link is shown once and good for seven days."""
    sent = await invitations.invite(session, caller, body.email, body.role)
    made = schemas.InvitationOut.model_validate(sent.invitation)
    return schemas.InvitationMade(
        **made.model_dump(), token=sent.token.reveal(),
        url=f"{public_address(request)}/invitations/accept#token={sent.token.reveal()}"
    )


@router.delete(
    "/workspaces/{workspace_id}/invitations/{invitation_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["members"],
    responses=problems(errors.InvitationInvalid),
)
async def revoke_invitation(workspace_id: UUID, invitation_id: UUID, caller: Admin, session: Session) -> None:
    """Withdraw an open invitation."""
    await invitations.revoke_invitation(session, caller, invitation_id)


@router.patch(
    "/workspaces/{workspace_id}/members/{user_id}", tags=["members"],
    responses=problems(errors.MemberNotFound, errors.OwnerProtected, errors.GrantTooHigh, errors.ManagedElsewhere),
)
async def change_role(
    workspace_id: UUID, user_id: UserId, body: schemas.RoleChange, caller: Admin, session: Session
) -> schemas.MemberOut:
    """Give a member another role."""
    return schemas.MemberOut.model_validate(await members.change_role(session, caller, user_id, body.role))


@router.delete(
    "/workspaces/{workspace_id}/members/{user_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["members"],
    responses=problems(errors.MemberNotFound, errors.OwnerProtected, errors.GrantTooHigh),
)
async def remove_member(workspace_id: UUID, user_id: UserId, caller: CurrentCaller, session: Session) -> None:
    """Remove a member as an admin, or leave as oneself; whoever manages the membership elsewhere."""
    await members.remove_member(session, caller, user_id)


@router.post(
    "/workspaces/{workspace_id}/members/{user_id}/readmit", status_code=status.HTTP_204_NO_CONTENT, tags=["members"],
    responses=problems(errors.MemberNotFound),
)
async def readmit_member(workspace_id: UUID, user_id: UserId, caller: Admin, session: Session) -> None:
    """Let somebody in again who was removed from an organisation's workspace; their next sign-in does the rest."""
    await members.readmit_member(session, caller, user_id)


@router.post(
    "/invitations/accept", tags=["members"],
    responses=problems(
        errors.PersonRequired, errors.InvitationInvalid, errors.AlreadyMember, PlanLimitReached
    ),
)
async def accept_invitation(
    body: schemas.InvitationAcceptance, caller: CurrentCaller, database: AppDatabase
) -> schemas.Accepted:
    """Accept an invitation that was sent to the caller's own email address."""
    return schemas.Accepted(workspace_id=await invitations.accept_invitation(database, caller, body.token))


@router.post(
    "/invitations/sign-up", status_code=status.HTTP_201_CREATED, tags=["members"],
    responses=problems(errors.InvitationInvalid, errors.EmailTaken, PlanLimitReached),
)
async def sign_up(
    body: schemas.SignUp, request: Request, response: Response, authenticator: AppRequestAuthenticator
) -> schemas.Me:
    """Make an account for an invited email address and sign it in; public, the token is the ticket."""
    opened = await invitations.sign_up(
        authenticator.database, authenticator.settings, authenticator.passwords, token=body.token, name=body.name,
        password=body.password, user_agent=_agent(request),
    )
    return await _welcome(request, response, authenticator, opened)


async def _welcome(
    request: Request, response: Response, authenticator: RequestAuthenticator, opened: sessions.OpenedSession,
    workspace_id: UUID | None = None,
) -> schemas.Me:
    """Hand out the cookie of a new session and describe its owner, in their default workspace if no other is named."""
    sessions.set_session_cookie(response, authenticator.settings, opened, is_secure=is_https(request))
    caller = await authenticator.authenticate(Presented(Carrier.COOKIE, opened.token.reveal(), workspace_id))
    return await _describe(caller, authenticator.database)


async def _describe(caller: Caller, database: Database) -> schemas.Me:
    found = await workspace.list_workspaces(database, caller)
    return schemas.Me(
        user=schemas.UserOut.model_validate(caller.user) if caller.user else None,
        workspaces=[schemas.MembershipOut.model_validate(each) for each in found],
        workspace_id=caller.workspace_id, role=caller.role, auth_method=caller.auth_method,
        is_system_admin=caller.is_system_admin,
    )


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _is_demo(settings: Settings) -> bool:
    """Say whether this server answers with the demo model until somebody adds a key."""
    configured = (
        settings.openai_api_key, settings.anthropic_api_key, settings.huggingface_api_key, settings.google_api_key,
        settings.xai_api_key, settings.openrouter_api_key, settings.mistral_api_key, settings.groq_api_key,
        settings.openai_base_url, settings.default_llm_provider,
    )
    return not any(configured)
