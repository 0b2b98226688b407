import type { ShutdownType } from "@/client/lifecycle";

interface Words {
  label: string;
  /** What the button that brings it about says. */
  verb: string;
  text: string;
}

const TARGETS: Record<string, Words> = {
  active: { label: "Active", verb: "Activate", text: "Takes work from recipes, tasks and routing." },
  idle: { label: "Idle", verb: "Set to idle", text: "Ready for work, with none at the moment." },
  paused: {
    label: "Paused",
    verb: "Pause",
    text: "Freezes its work at the next step. New work queues until you resume it.",
  },
  maintenance: {
    label: "Maintenance",
    verb: "Start maintenance",
    text: "Finishes what runs, takes nothing new, and shows that it is being worked on.",
  },
  inactive: { label: "Inactive", verb: "Deactivate", text: "Switched off: it takes no work until you activate it." },
  training: { label: "Training", verb: "Start training", text: "Takes no work while you improve it." },
  error: { label: "Error", verb: "Mark as failed", text: "Takes no work until the error is cleared." },
  archived: {
    label: "Archived",
    verb: "Archive",
    text: "Put away: no work, in no list; its history stays, and it can be restored.",
  },
};

export function targetWords(status: string): Words {
  return TARGETS[status] ?? { label: status, verb: `Set to ${status}`, text: "" };
}

/** What the button says for a change from one status to another. */
export function verbFor(current: string, target: string): string {
  if (current === "paused" && (target === "active" || target === "idle")) return "Resume";
  if (current === "archived") return "Restore";
  if (current === "error" && target !== "archived") return `Clear the error, ${targetWords(target).verb.toLowerCase()}`;
  return targetWords(target).verb;
}

export const SHUTDOWNS: readonly { value: ShutdownType; title: string; text: string }[] = [
  {
    value: "graceful",
    title: "Graceful",
    text: "Takes nothing new from now on, finishes what runs, then stops.",
  },
  {
    value: "immediate",
    title: "Immediate",
    text: "Interrupts running work now and cancels what is queued.",
  },
  {
    value: "scheduled",
    title: "Scheduled",
    text: "Keeps working, and stops the first time nothing is left to do.",
  },
];
