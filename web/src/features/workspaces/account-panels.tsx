import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Session } from "@/client/system";
import { formatAgo, formatTime } from "@/lib/format";
import { asProblem } from "@/lib/problem";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { TextField } from "@/ui/field";
import { LoadProblem } from "@/ui/loaded";
import { Panel, Row, Rows } from "@/ui/panel";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { browserOf, openedWith } from "./account-words";
import { changePassword, endSession, sessionsQuery, signOutEverywhere } from "./session";

/** Changes the password; every other session ends with the old one. */
export function PasswordPanel() {
  const cache = useQueryClient();
  const [mismatch, setMismatch] = useState(false);
  const change = useMutation({
    mutationFn: changePassword,
    onSuccess: async () => {
      toast.success("Your password is changed. Every other session has ended.");
      await cache.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    },
  });
  const problem = change.error ? asProblem(change.error) : null;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const typed = new FormData(form);
    const text = (name: string) => String(typed.get(name) ?? "");
    const differs = text("new") !== text("again");
    setMismatch(differs);
    if (differs) return;
    change.mutate({ current_password: text("current"), new_password: text("new") }, { onSuccess: () => form.reset() });
  }

  return (
    <Panel title="Password" lead="After a change you stay signed in here and are signed out everywhere else.">
      <form onSubmit={submit} className="grid max-w-md gap-2">
        <TextField
          label="Present password"
          name="current"
          type="password"
          autoComplete="current-password"
          required
          maxLength={256}
          error={problem?.code === "wrong_password" ? "This is not your present password." : undefined}
        />
        <TextField
          label="New password"
          name="new"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          maxLength={256}
          hint="At least 8 characters."
          error={problem?.forField("new_password")}
        />
        <TextField
          label="New password again"
          name="again"
          type="password"
          autoComplete="new-password"
          required
          error={mismatch ? "The two new passwords are not the same." : undefined}
        />
        {problem && problem.fields.length === 0 && problem.code !== "wrong_password" && <ProblemNote error={problem} />}
        <Button type="submit" look="primary" busy={change.isPending} className="justify-self-start">
          Change password
        </Button>
      </form>
    </Panel>
  );
}

/** Where one is signed in, each session with its end. */
export function SessionsPanel({ onSignedOut }: { onSignedOut: () => Promise<void> }) {
  const sessions = useQuery(sessionsQuery);
  const cache = useQueryClient();
  const [leaving, setLeaving] = useState(false);
  const [ending, setEnding] = useState<Session | null>(null);

  return (
    <Panel
      title="Where you are signed in"
      lead="A browser or terminal that you do not know is ended at once. API keys are not touched."
      action={<Button onClick={() => setLeaving(true)}>Sign out everywhere</Button>}
    >
      {sessions.isPending && <SkeletonRows rows={2} />}
      <LoadProblem of={sessions} />
      {sessions.data && (
        <Rows>
          {sessions.data.items.map((each) => (
            <Row key={each.id} title={browserOf(each.user_agent)} detail={<SessionDetail session={each} />}>
              {each.is_current ? (
                <Badge tone="accent">this one</Badge>
              ) : (
                <Button
                  size="sm"
                  aria-label={`End the session in ${browserOf(each.user_agent)}`}
                  onClick={() => setEnding(each)}
                >
                  End
                </Button>
              )}
            </Row>
          ))}
        </Rows>
      )}
      <Confirm
        open={ending !== null}
        onOpenChange={(open) => !open && setEnding(null)}
        title={`End the session in ${browserOf(ending?.user_agent ?? "")}?`}
        action="End session"
        onConfirm={async () => {
          if (ending) await endSession(ending.id);
          await cache.invalidateQueries({ queryKey: sessionsQuery.queryKey });
        }}
      >
        Whoever uses it is signed out with their next step. What they have not saved is lost.
      </Confirm>
      <Confirm
        open={leaving}
        onOpenChange={setLeaving}
        title="Sign out everywhere?"
        action="Sign out everywhere"
        onConfirm={async () => {
          await signOutEverywhere();
          await onSignedOut();
        }}
      >
        Every session of yours ends, on all machines, this one too.
      </Confirm>
    </Panel>
  );
}

function SessionDetail({ session }: { session: Session }) {
  return (
    <>
      {openedWith(session)}, used {formatAgo(session.last_used_at)},{" "}
      <span title={formatTime(session.expires_at)}>ends {formatAgo(session.expires_at)}</span>
      {session.organisation_until && (
        <span className="block">
          reaches your organisation's workspace until {formatTime(session.organisation_until)}
        </span>
      )}
    </>
  );
}
