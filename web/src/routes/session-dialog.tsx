import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouterState } from "@tanstack/react-router";
import { LogOut } from "lucide-react";
import { lazy, Suspense, useSyncExternalStore } from "react";
import type { Me } from "@/client";
import { authConfigQuery, meQuery, personOf } from "@/features/workspaces/session";
import { SignInForm } from "@/features/workspaces/sign-in-form";
import { underBase } from "@/lib/own-path";
import { type Asking, currentAsking, isSignedOut, watchAsking } from "@/lib/session-gate";
import { leaveFreely } from "@/lib/unsaved";
import { usePerson } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { SignInAgainButton } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";

const ClerkDoor = lazy(() => import("@/features/workspaces/clerk-door"));

/** Signing in again over the page whose session has ended; what was refused meanwhile is sent again afterwards. */
export function SessionDialog() {
  const asking = useSyncExternalStore(watchAsking, currentAsking);
  return asking && <SignInAgain asking={asking} />;
}

/** Says on every page that nothing can be stored since the session ended, for as long as signing in is put off. */
export function SignedOutStrip() {
  const isOut = useSyncExternalStore(watchAsking, isSignedOut);
  if (!isOut) return null;
  return (
    <div
      role="alert"
      className="short:static sticky top-14 z-20 flex flex-wrap items-center gap-x-3 gap-y-1 bg-warn-soft px-4 py-2 text-warn sm:px-8 md:top-0 print:hidden"
    >
      <LogOut aria-hidden className="size-4 shrink-0" />
      <p className="min-w-0 flex-1 basis-60">
        <strong className="font-medium">You are signed out.</strong> What you typed stays here, but nothing is saved
        until you sign in.
      </p>
      <SignInAgainButton />
    </div>
  );
}

function SignInAgain({ asking }: { asking: Asking }) {
  const config = useQuery(authConfigQuery);
  const person = usePerson();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const here = useRouterState({ select: (state) => state.location.href });

  function enter(me: Me) {
    cache.setQueryData(meQuery.queryKey, me);
    if (personOf(me) === person) {
      asking.answer(true);
      void cache.invalidateQueries();
      return;
    }
    // Somebody else: what is on the page is not theirs to see or to save. It stays kept for whoever typed it.
    asking.answer(false);
    cache.clear();
    leaveFreely();
    location.assign(underBase("/"));
  }

  function leave() {
    asking.answer(false);
    void navigate({ to: "/sign-in", search: { next: here }, ignoreBlocker: true });
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && asking.answer(false)}
      title="Your session has ended"
      description="Sign in to go on where you are. Nothing you typed is lost."
    >
      <Door mode={config.data?.mode} clerkKey={config.data?.clerk_publishable_key} onDone={enter} onLeave={leave} />
    </Dialog>
  );
}

interface DoorProps {
  mode: string | undefined;
  clerkKey: string | null | undefined;
  onDone: (me: Me) => void;
  onLeave: () => void;
}

function Door({ mode, clerkKey, onDone, onLeave }: DoorProps) {
  if (clerkKey) {
    return (
      <Suspense fallback={<SkeletonRows rows={3} />}>
        <ClerkDoor publishableKey={clerkKey} isLeaving={false} onDone={onDone} />
      </Suspense>
    );
  }
  if (mode === "local") return <SignInForm onDone={onDone} />;
  return (
    <>
      <p>
        Signing in happens on a page of its own. Unsaved changes are kept on this device and offered on your return.
      </p>
      <DialogActions>
        <Button look="primary" onClick={onLeave}>
          Go to sign-in
        </Button>
      </DialogActions>
    </>
  );
}
