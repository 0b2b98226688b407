import { clsx } from "clsx";

const COLORS = [
  "bg-accent-soft text-accent",
  "bg-ok-soft text-ok",
  "bg-warn-soft text-warn",
  "bg-orange-soft text-orange",
  "bg-blue-soft text-blue",
  "bg-violet-soft text-violet",
];

/** The first letters of the first two words; of one word, its first two. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s_\-.()]+/).filter(Boolean);
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => [...word][0]) : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}

/** Tells things with names apart at a glance: letters of the name, a colour that stays the same for an id. */
export function Avatar({ id, name, className }: { id: number; name: string; className?: string }) {
  return (
    <span
      aria-hidden
      className={clsx(
        "grid size-8 shrink-0 place-items-center rounded-full text-xs font-semibold select-none",
        COLORS[id % COLORS.length],
        className,
      )}
    >
      {initialsOf(name)}
    </span>
  );
}
