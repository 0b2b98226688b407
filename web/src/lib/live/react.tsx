import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useState, useSyncExternalStore } from "react";
import { LiveBus } from "./bus";
import type { Connection } from "./events";

const Bus = createContext<LiveBus | null>(null);
const HINTS = ["agents", "credentials", "heartbeats", "models", "personas", "recipes", "runs", "skills"];

/** Gives the pages below it the live events of one workspace, and refetches lists when the server hints at a change. */
export function LiveProvider({ workspace, children }: { workspace: string; children: ReactNode }) {
  const [bus, setBus] = useState<LiveBus | null>(null);
  const cache = useQueryClient();
  useEffect(() => {
    const fresh = new LiveBus(workspace);
    const stops = HINTS.map((topic) =>
      fresh.onChange(topic, () => cache.invalidateQueries({ queryKey: [workspace, topic] })),
    );
    setBus(fresh);
    return () => {
      for (const stop of stops) stop();
      fresh.close();
      setBus(null);
    };
  }, [workspace, cache]);
  return <Bus value={bus}>{children}</Bus>;
}

/** The live events of this workspace; null until the page has mounted. */
export function useLiveBus(): LiveBus | null {
  return use(Bus);
}

/** How the connection to the server is right now. */
export function useConnection(): Connection {
  const bus = useLiveBus();
  return useSyncExternalStore(
    (changed) => bus?.onStatus(changed) ?? (() => undefined),
    () => bus?.status ?? "connecting",
  );
}
