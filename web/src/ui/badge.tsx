import { clsx } from "clsx";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

const TONES = {
  neutral: "bg-sunken text-muted",
  accent: "bg-accent-soft text-accent",
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  orange: "bg-orange-soft text-orange",
  blue: "bg-blue-soft text-blue",
  violet: "bg-violet-soft text-violet",
};

export type Tone = keyof typeof TONES;

interface BadgeProps {
  tone: Tone;
  icon?: LucideIcon;
  spin?: boolean;
  children: ReactNode;
}

/** A status in words with an icon, so that colour is never the only sign. */
export function Badge({ tone, icon: Icon, spin, children }: BadgeProps) {
  return (
    <span
      className={clsx(
        "inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-sm font-medium whitespace-nowrap",
        TONES[tone],
      )}
    >
      {Icon && <Icon aria-hidden className={clsx("size-3.5", spin && "animate-spin [animation-duration:2s]")} />}
      {children}
    </span>
  );
}
