import {
  Archive,
  CircleAlert,
  CircleCheck,
  CirclePause,
  GraduationCap,
  type LucideIcon,
  Moon,
  PowerOff,
  Wrench,
} from "lucide-react";
import { Badge, type Tone } from "@/ui/badge";

const LOOKS: Record<string, { label: string; tone: Tone; icon: LucideIcon }> = {
  active: { label: "Active", tone: "ok", icon: CircleCheck },
  idle: { label: "Idle", tone: "ok", icon: Moon },
  inactive: { label: "Inactive", tone: "neutral", icon: PowerOff },
  paused: { label: "Paused", tone: "warn", icon: CirclePause },
  maintenance: { label: "Maintenance", tone: "warn", icon: Wrench },
  training: { label: "Training", tone: "accent", icon: GraduationCap },
  error: { label: "Error", tone: "bad", icon: CircleAlert },
  archived: { label: "Archived", tone: "neutral", icon: Archive },
};

/** The statuses one can filter by. */
export const AGENT_STATUSES = ["active", "inactive", "error"].map((value) => ({
  value,
  label: LOOKS[value]?.label ?? value,
}));

/** Whether an agent in this status takes work. */
export const takesWork = (status: string) => status === "active" || status === "idle";

export function AgentBadge({ status }: { status: string }) {
  const look = LOOKS[status] ?? { label: status, tone: "neutral" as const, icon: CircleAlert };
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.label}
    </Badge>
  );
}
