import { type ComponentType, createElement, use } from "react";
import { Problem, unreachable } from "./problem";

type Loader<Name extends string> = () => Promise<Record<Name, ComponentType>>;
type Preload = () => Promise<void>;

const pages: Preload[] = [];

/** The server is there and this part of the app is not: a newer version was installed since the page was opened. */
export const OUTDATED = "app_outdated";

function outdated(): Problem {
  const detail =
    "Automatos was updated since this page was opened. Load it again; what you typed is kept on this device.";
  return new Problem(0, { code: OUTDATED, title: "This page is out of date", detail }, null);
}

async function reasonOf(error: unknown): Promise<unknown> {
  try {
    await fetch("/", { method: "HEAD", cache: "no-store" });
  } catch {
    return unreachable();
  }
  // What fails for any other reason than being fetched is a fault of ours and says so itself.
  return error instanceof TypeError ? outdated() : error;
}

/**
 * A page whose code is fetched when it is first wanted. If that fails it throws what is to be said, and it is fetched
 * again the next time it is wanted; the browser's own error page is never seen.
 */
export function lazyPage<Name extends string>(load: Loader<Name>, name: Name) {
  let component: ComponentType | undefined;
  let failure: unknown;
  let coming: Promise<void> | undefined;

  function preload(): Promise<void> {
    if (component) return Promise.resolve();
    failure = undefined;
    coming ??= load()
      .then((module) => {
        component = module[name];
      })
      .catch(async (error) => {
        failure = await reasonOf(error);
      })
      .finally(() => {
        coming = undefined;
      });
    return coming;
  }

  function Page() {
    if (failure !== undefined && !component) throw failure;
    if (!component) use(preload());
    return component ? createElement(component) : null;
  }
  pages.push(preload);
  return Object.assign(Page, { preload });
}

/** Fetches the code of every page, one after the other, so that going there needs no network. Data is not fetched. */
export async function prefetchPages(): Promise<void> {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (connection?.saveData) return;
  for (const preload of pages) await preload();
}
