import { QueryClientProvider, useQuery } from "@tanstack/react-query";
import { type ErrorComponentProps, Link, Outlet, useRouter } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { meQuery } from "@/features/workspaces/session";
import { OUTDATED } from "@/lib/lazy-page";
import { asProblem } from "@/lib/problem";
import { queryClient } from "@/lib/query";
import { leaveFreely } from "@/lib/unsaved";
import { buttonClass } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { Empty, SkeletonRows } from "@/ui/states";
import { Toaster } from "@/ui/toaster";

export function Root() {
  return (
    <QueryClientProvider client={queryClient}>
      <Outlet />
      <Toaster />
    </QueryClientProvider>
  );
}

export function Pending() {
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-8 sm:px-8">
      <SkeletonRows />
    </div>
  );
}

const RELOADED = "automatos.reloaded";

/** Loads a newer version of the app once; what is unsaved is kept on this device, so nothing is asked. */
function useNewerApp(error: unknown): void {
  const isOutdated = asProblem(error).code === OUTDATED;
  useEffect(() => {
    if (!isOutdated) return;
    const version = document.querySelector<HTMLScriptElement>("script[type=module]")?.src ?? "";
    if (sessionStorage.getItem(RELOADED) === version) return;
    sessionStorage.setItem(RELOADED, version);
    leaveFreely();
    location.reload();
  }, [isOutdated]);
}

export function Failed({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  useNewerApp(error);
  async function again() {
    if (asProblem(error).code === OUTDATED) {
      leaveFreely();
      location.reload();
      return;
    }
    await router.invalidate();
    reset();
  }
  return (
    <div className="mx-auto w-full max-w-2xl px-4 py-12">
      <ProblemNote error={error} onRetry={() => void again()} />
    </div>
  );
}

export function Missing() {
  return (
    <main className="mx-auto w-full max-w-2xl px-4 py-12">
      <Empty
        icon={<Compass className="size-6" />}
        isPage
        title="There is no page at this address"
        action={
          <Link to="/" className={buttonClass({ look: "primary" })}>
            Go to your recipes
          </Link>
        }
      >
        The link may be old, or it leads to a workspace you are not in.
      </Empty>
    </main>
  );
}

/** An address inside a workspace that leads nowhere; the pages of the workspace stay at hand. */
export function MissingHere() {
  return (
    <NotThere title="There is no page at this address">
      The link may be old or mistyped. Everything of this workspace is in the menu.
    </NotThere>
  );
}

/** Something that an address names and that is not there, in words. */
export function NotThere({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Automatos`;
  }, [title]);
  return (
    <div className="mx-auto w-full max-w-2xl px-4 py-12">
      <Empty
        icon={<Compass className="size-6" />}
        isPage
        title={title}
        action={
          <Link to="/w/$workspace/recipes" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
            Go to your recipes
          </Link>
        }
      >
        {children}
      </Empty>
    </div>
  );
}

/** An address of a workspace that the person is not in, or that does not exist. */
export function NoWorkspace({ address }: { address: string }) {
  const workspaces = useQuery(meQuery).data?.workspaces ?? [];
  useEffect(() => {
    document.title = "No such workspace · Automatos";
  }, []);
  return (
    <main className="mx-auto w-full max-w-2xl px-4 py-12">
      <Empty icon={<Compass className="size-6" />} isPage title={`You have no workspace “${address.slice(0, 80)}”`}>
        <p>It may have been deleted, or you are signed in as somebody who is not a member of it.</p>
        <ul aria-label="Your workspaces" className="mt-4 flex flex-wrap justify-center gap-2">
          {workspaces.map((one) => (
            <li key={one.id}>
              <Link to="/w/$workspace/recipes" params={{ workspace: one.slug }} className={buttonClass()}>
                {one.name}
              </Link>
            </li>
          ))}
        </ul>
      </Empty>
    </main>
  );
}
