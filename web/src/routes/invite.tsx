import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { acceptInvitation, meQuery, signUp } from "@/features/workspaces/session";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { Spinner } from "@/ui/spinner";
import { Entrance } from "./entrance";

/** The ticket travels behind the #, so that it stays out of server logs. */
function useTicket(): string | null {
  return new URLSearchParams(useRouterState({ select: (state) => state.location.hash })).get("token");
}

export function InvitePage() {
  const token = useTicket();
  const me = useQuery({ ...meQuery, retry: false });
  return (
    <Entrance title="Join a workspace" lead="You were invited to work on agents and recipes together.">
      {!token && <p>This link is incomplete. Ask for it again and open all of it.</p>}
      {token && me.isPending && <Spinner />}
      {token && me.data && <Accept token={token} name={me.data.user?.email ?? "this account"} />}
      {token && !me.data && me.error && <SignUp token={token} />}
    </Entrance>
  );
}

/** Leads to the workspace that was joined; addresses take its id as well as its short name. */
function useEntry() {
  const navigate = useNavigate();
  const cache = useQueryClient();
  return async (workspace: string) => {
    await cache.invalidateQueries({ queryKey: meQuery.queryKey });
    await navigate({ to: "/w/$workspace/recipes", params: { workspace } });
  };
}

function Accept({ token, name }: { token: string; name: string }) {
  const enter = useEntry();
  const accept = useMutation({ mutationFn: acceptInvitation, onSuccess: (joined) => enter(joined.workspace_id) });
  return (
    <div className="grid gap-4">
      {accept.error && <ProblemNote error={accept.error} />}
      <Button look="primary" busy={accept.isPending} onClick={() => accept.mutate(token)}>
        Accept as {name}
      </Button>
    </div>
  );
}

function SignUp({ token }: { token: string }) {
  const enter = useEntry();
  const join = useMutation({
    mutationFn: signUp,
    // A new account owns one workspace, its own; the other is the one it was invited to.
    onSuccess: (me) =>
      enter((me.workspaces.find((one) => one.role !== "owner") ?? me.workspaces[0])?.id ?? me.workspace_id),
  });
  const problem = join.error ? asProblem(join.error) : null;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    join.mutate({ token, name: String(form.get("name")).trim(), password: String(form.get("password")) });
  }

  return (
    <form onSubmit={submit} className="grid gap-2">
      <TextField label="Your name" name="name" autoComplete="name" required error={problem?.forField("name")} />
      <TextField
        label="Choose a password"
        name="password"
        type="password"
        autoComplete="new-password"
        minLength={8}
        required
        hint="At least 8 characters."
        error={problem?.forField("password")}
      />
      {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
      <Button type="submit" look="primary" busy={join.isPending} className="mt-2">
        Create account and join
      </Button>
      <p className="mt-2 text-center text-muted">
        Already have an account?{" "}
        <Link
          to="/sign-in"
          search={{ next: `/invitations/accept#token=${token}` }}
          className="font-medium text-accent underline underline-offset-2"
        >
          Sign in
        </Link>
      </p>
    </form>
  );
}
