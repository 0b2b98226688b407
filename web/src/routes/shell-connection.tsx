import { clsx } from "clsx";
import { useConnection } from "@/lib/live/react";

const WORDS: Record<ReturnType<typeof useConnection>, { label: string; reason: string; dot: string }> = {
  connecting: { label: "Connecting", reason: "Opening the live connection to the server.", dot: "bg-warn" },
  live: { label: "Live", reason: "Changes appear here as they happen.", dot: "bg-ok" },
  retrying: {
    label: "Connection lost, retrying",
    reason: "The server does not answer. Runs go on without this page; nothing is lost.",
    dot: "bg-warn",
  },
  signed_out: {
    label: "Signed out",
    reason: "Sign in to see changes as they happen. Runs go on without this page.",
    dot: "bg-warn",
  },
  offline: { label: "Offline", reason: "This device has no network. Runs go on without this page.", dot: "bg-bad" },
};

/** Whether what is on screen is up to date, and why not. */
export function ConnectionDot({ compact = false }: { compact?: boolean }) {
  const { label, reason, dot } = WORDS[useConnection()];
  return (
    <p role="status" title={reason} className="flex items-center gap-2.5 px-3 py-1 text-sm text-muted">
      <span aria-hidden className={clsx("size-2 shrink-0 rounded-full", dot)} />
      <span className={compact ? "sr-only" : ""}>{label}</span>
    </p>
  );
}
