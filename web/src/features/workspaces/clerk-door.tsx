import { ClerkProvider, Show, SignIn, useAuth, useClerk } from "@clerk/react";
import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Me } from "@/client";
import { provideTokens } from "@/lib/auth";
import { underBase } from "@/lib/own-path";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { openSession } from "./session";

interface Props {
  publishableKey: string;
  /** The person asked to be signed out: end the provider's session too, or it would sign them in again at once. */
  isLeaving: boolean;
  onDone: (me: Me) => void;
}

/** Sign-in by Clerk. Loaded only where the server asks for it; nothing else of the app knows the provider. */
export default function ClerkDoor({ publishableKey, isLeaving, onDone }: Props) {
  return (
    <ClerkProvider publishableKey={publishableKey}>
      <Show when="signed-out">
        <SignIn routing="hash" forceRedirectUrl={location.href} />
      </Show>
      <Show when="signed-in">{isLeaving ? <Leave /> : <Enter onDone={onDone} />}</Show>
    </ClerkProvider>
  );
}

/** Trades the provider's token for our session cookie, which live streams need; requests go on to carry the token. */
function Enter({ onDone }: { onDone: (me: Me) => void }) {
  const { getToken } = useAuth();
  const { mutate, error } = useMutation({ mutationFn: openSession, onSuccess: onDone });
  useEffect(() => {
    provideTokens(() => getToken());
    mutate();
  }, [getToken, mutate]);
  return error ? <ProblemNote error={error} onRetry={() => mutate()} /> : <SkeletonRows rows={2} />;
}

function Leave() {
  const clerk = useClerk();
  useEffect(() => {
    provideTokens(null);
    void clerk.signOut({ redirectUrl: underBase("/sign-in") });
  }, [clerk]);
  return <SkeletonRows rows={2} />;
}
