import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { PasswordPanel, SessionsPanel } from "@/features/workspaces/account-panels";
import { meQuery, sessionsQuery } from "@/features/workspaces/session";
import { Page } from "@/ui/page";

/** One's own account: the password, and where one is signed in. */
export function AccountPage() {
  const me = useQuery(meQuery).data;
  const here = useQuery({ ...sessionsQuery, enabled: Boolean(me?.user) }).data?.items.find((each) => each.is_current);
  const navigate = useNavigate();
  const cache = useQueryClient();
  if (me && !me.user) {
    return (
      <Page title="Your account">
        <p className="text-muted">Nobody signs in here: this server works without accounts.</p>
      </Page>
    );
  }
  return (
    <Page title="Your account" lead={me?.user ? `${me.user.name || me.user.email}, in every workspace.` : undefined}>
      {here?.origin === "password" && <PasswordPanel />}
      <SessionsPanel
        onSignedOut={async () => {
          await navigate({ to: "/sign-in" });
          cache.clear();
        }}
      />
    </Page>
  );
}
