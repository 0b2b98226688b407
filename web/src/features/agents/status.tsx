import {
  Archive,
  Brain,
  CircleCheck,
  CirclePause,
  Clock,
  Hourglass,
  type LucideIcon,
  PowerOff,
  TriangleAlert,
  Wrench,
} from "lucide-react";
import { Badge, type Tone } from "@/ui/badge";

interface Look {
  label: string;
  tone: Tone;
  icon: LucideIcon;
}

const LOOKS: Record<string, Look> = {
  active: { label: "Active", tone: "ok", icon: CircleCheck },
  idle: { label: "Idle", tone: "neutral", icon: Clock },
  maintenance: { label: "Maintenance", tone: "orange", icon: Wrench },
  paused: { label: "Paused", tone: "blue", icon: CirclePause },
  training: { label: "Training", tone: "violet", icon: Brain },
  error: { label: "Error", tone: "bad", icon: TriangleAlert },
  inactive: { label: "Inactive", tone: "neutral", icon: PowerOff },
  archived: { label: "Archived", tone: "neutral", icon: Archive },
};

const optionOf = (value: string) => ({ value, label: LOOKS[value]?.label ?? value });

/** The statuses one asks for every day, and the others one can filter by. */
export const MAIN_STATUSES = ["active", "idle"].map(optionOf);
export const OTHER_STATUSES = ["inactive", "paused", "maintenance", "training", "error", "archived"].map(optionOf);

/** An agent's status in words, with an icon; an agent that was told to stop and still works says so. */
export function AgentBadge({ status, isStopping = false }: { status: string; isStopping?: boolean }) {
  const look = LOOKS[status] ?? { label: status, tone: "neutral" as const, icon: TriangleAlert };
  if (isStopping) {
    return (
      <Badge tone="warn" icon={Hourglass}>
        Stopping
      </Badge>
    );
  }
  return (
    <Badge tone={look.tone} icon={look.icon}>
      {look.label}
    </Badge>
  );
}
