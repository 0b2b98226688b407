import { KeyRound } from "lucide-react";
import { addressOf } from "@/lib/http";
import { buttonClass } from "@/ui/button";

/** What can go wrong on the way through the identity provider's pages, in words, and what to do next. */
const PROBLEMS: Record<string, string> = {
  access_denied: "The identity provider did not let you in, or you cancelled there. Try again, or ask who runs it.",
  sign_in_expired: "This sign-in was begun too long ago, or in another browser. Begin again.",
  provider_unavailable: "The identity provider does not answer. Try again in a minute; if it goes on, tell your admin.",
  provider_misconfigured:
    "The server's address of the identity provider does not fit. Tell your admin: the server's log says what to correct.",
  provider_refused:
    "The identity provider refused this server's request. Tell your admin: the client's id, secret or address may be wrong.",
  token_refused: "What the identity provider sent is not accepted. Begin again; if it goes on, tell your admin.",
  clock_skew:
    "The clocks of this server and of the identity provider differ too much. Tell your admin to set both by the network.",
  account_off: "This account is switched off. Ask the admin of this server.",
  account_refused: "The account could not be opened just now. Begin again; if it goes on, tell your admin.",
};

interface Props {
  name: string;
  /** The page to come back to. */
  next: string;
  problem: string | undefined;
}

/** Sign-in at an OpenID Connect provider: the browser goes there and comes back with a session. */
export function ProviderDoor({ name, next, problem }: Props) {
  const address = addressOf("/api/auth/oidc/sign-in", { next });
  return (
    <div className="grid gap-4">
      {problem && (
        <p role="alert" className="rounded-xl border border-bad bg-bad-soft p-4">
          {PROBLEMS[problem] ?? "Signing in did not work. Begin again; if it goes on, tell your admin."}
        </p>
      )}
      <a href={address} className={buttonClass({ look: "primary" })}>
        <KeyRound aria-hidden className="size-4" />
        Sign in with {name}
      </a>
    </div>
  );
}
