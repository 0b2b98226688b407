import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet, useParams, useRouteContext, useRouterState } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Search } from "lucide-react";
import { type ComponentType, useEffect, useRef, useState } from "react";
import type { WorkspaceMembership } from "@/client";
import { meQuery, personOf } from "@/features/workspaces/session";
import { LiveProvider } from "@/lib/live/react";
import { PersonProvider, WorkspaceProvider } from "@/lib/workspace";
import { toast } from "@/ui/toaster";
import { type ALL_PAGES, groupAt, PAGES } from "./pages";
import { NoWorkspace } from "./root";
import { SessionDialog, SignedOutStrip } from "./session-dialog";
import { AccountMenu } from "./shell-account";
import { ConnectionDot } from "./shell-connection";
import { PartsBar } from "./shell-parts";
import { WorkspaceSwitch } from "./shell-workspaces";

/** The frame of every page of a workspace: rail on wide screens, a bar at the bottom on phones. */
export function Shell() {
  const { membership } = useRouteContext({ from: "/w/$workspace" });
  const { workspace } = useParams({ from: "/w/$workspace" });
  return membership ? <Frame membership={membership} /> : <NoWorkspace address={workspace} />;
}

function Frame({ membership }: { membership: WorkspaceMembership }) {
  const { data: me } = useSuspenseQuery(meQuery);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  usePaletteKey(() => setPaletteOpen((open) => !open));
  const Palette = usePalette(isPaletteOpen, () => setPaletteOpen(false));
  const main = useFocusOnArrival();

  return (
    <PersonProvider value={personOf(me)}>
      <WorkspaceProvider value={membership} key={membership.id}>
        <LiveProvider workspace={membership.id}>
          <SessionDialog />
          <a
            href="#main"
            className="sr-only z-50 rounded-lg bg-surface p-3 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
          >
            Skip to content
          </a>
          <div className="flex min-h-dvh flex-col md:flex-row">
            <Rail onSearch={() => setPaletteOpen(true)} />
            <TopBar onSearch={() => setPaletteOpen(true)} />
            <main id="main" ref={main} tabIndex={-1} className="min-w-0 flex-1 pb-20 outline-none md:pb-0 print:pb-0">
              <SignedOutStrip />
              <PartsBar />
              <Outlet />
            </main>
            <BottomBar />
          </div>
          {isPaletteOpen && Palette && <Palette onClose={() => setPaletteOpen(false)} />}
        </LiveProvider>
      </WorkspaceProvider>
    </PersonProvider>
  );
}

/** Moves the focus into each new page, as a page load would, so that reading and tabbing start there. */
function useFocusOnArrival() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const last = useRef(path);
  useEffect(() => {
    // A tab that has an address of its own keeps the focus: its arrow keys go on from there.
    const isOnTab = document.activeElement?.closest('[role="tablist"]') != null;
    if (path !== last.current && !isOnTab) main.current?.focus();
    last.current = path;
  }, [path]);
  return main;
}

type PalettePart = ComponentType<{ onClose: () => void }>;

/** The palette's code, fetched when it is first wanted; where that fails the page stays and says so. */
function usePalette(isWanted: boolean, onFailure: () => void): PalettePart | null {
  const [part, setPart] = useState<{ it: PalettePart } | null>(null);
  const failed = useRef(onFailure);
  failed.current = onFailure;
  useEffect(() => {
    if (!isWanted || part) return;
    import("./palette").then(
      (module) => setPart({ it: module.default }),
      () => {
        toast.error("Search could not be fetched: the server does not answer.");
        failed.current();
      },
    );
  }, [isWanted, part]);
  return part?.it ?? null;
}

function usePaletteKey(toggle: () => void) {
  useEffect(() => {
    function pressed(event: KeyboardEvent) {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      toggle();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

function Rail({ onSearch }: { onSearch: () => void }) {
  return (
    <div className="hidden w-60 shrink-0 border-r bg-sunken md:block print:hidden">
      <div className="sticky top-0 flex h-dvh flex-col gap-4 p-3">
        <WorkspaceSwitch />
        <button
          type="button"
          onClick={onSearch}
          className="flex h-9 items-center gap-2.5 rounded-lg border border-line-strong bg-surface px-3 text-sm text-muted hover:text-ink"
        >
          <Search aria-hidden className="size-4" />
          <span className="flex-1 text-left">Search</span>
          <kbd className="font-sans text-xs">Ctrl K</kbd>
        </button>
        <nav aria-label="Main" className="grid gap-0.5">
          {PAGES.flatMap((page) => [
            <RailLink key={page.to} page={page} />,
            ...page.parts.map((part) => <RailLink key={part.to} page={part} isPart />),
          ])}
        </nav>
        <div className="mt-auto grid gap-1">
          <ConnectionDot />
          <AccountMenu />
        </div>
      </div>
    </div>
  );
}

type RailPage = Pick<(typeof ALL_PAGES)[number], "to" | "label" | "icon">;

function RailLink({ page: { to, label, icon: Icon }, isPart = false }: { page: RailPage; isPart?: boolean }) {
  return (
    <Link
      to={to}
      from="/w/$workspace"
      activeProps={{ "aria-current": "page" }}
      className={clsx(
        "flex items-center gap-3 rounded-lg px-3 text-muted hover:bg-line hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent",
        isPart ? "ml-4 h-9 text-sm" : "h-10",
      )}
    >
      <Icon aria-hidden className={isPart ? "size-4" : "size-[1.15rem]"} />
      {label}
    </Link>
  );
}

function TopBar({ onSearch }: { onSearch: () => void }) {
  return (
    <header className="short:static sticky top-0 z-30 flex h-14 items-center gap-1 border-b bg-surface px-3 md:hidden print:hidden">
      <div className="min-w-0 flex-1">
        <WorkspaceSwitch />
      </div>
      <ConnectionDot compact />
      <button
        type="button"
        aria-label="Search"
        onClick={onSearch}
        className="grid size-10 place-items-center rounded-lg text-muted"
      >
        <Search aria-hidden className="size-5" />
      </button>
      <AccountMenu compact />
    </header>
  );
}

function BottomBar() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const here = groupAt(path);
  return (
    <nav
      aria-label="Main"
      className="fixed inset-x-0 bottom-0 z-30 grid grid-cols-4 border-t bg-surface pb-[env(safe-area-inset-bottom)] md:hidden print:hidden"
    >
      {PAGES.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          from="/w/$workspace"
          aria-current={here?.to === to ? "page" : undefined}
          className="grid h-16 place-content-center justify-items-center gap-1 text-xs short:h-11 short:grid-flow-col short:items-center short:gap-2 text-muted aria-[current=page]:font-medium aria-[current=page]:text-accent"
        >
          <Icon aria-hidden className="size-5" />
          {label}
        </Link>
      ))}
    </nav>
  );
}
