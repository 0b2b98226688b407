import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useState, useSyncExternalStore } from "react";
import { isSessionOver, watchAsking } from "../session-gate";
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

/** How the connection to the server is right now; without a session that alone is said, whatever became of it. */
export function useConnection(): Connection | "signed_out" {
  const bus = useLiveBus();
  const isOver = useSyncExternalStore(watchAsking, isSessionOver);
  const status = useSyncExternalStore(
    (changed) => bus?.onStatus(changed) ?? (() => undefined),
    () => bus?.status ?? "connecting",
  );
  return isOver ? "signed_out" : status;
}
