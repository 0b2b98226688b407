import { clsx } from "clsx";
import { RadioGroup } from "radix-ui";
import type { ReactNode } from "react";

interface CardChoiceProps {
  label: string;
  value: string;
  options: readonly { value: string; title: string; text: string; icon?: ReactNode; note?: string }[];
  onChange: (value: string) => void;
  /** For options with longer words. */
  wide?: boolean;
}

/** One of a few ways to go on, each with a sentence; arrow keys choose. */
export function CardChoice({ label, value, options, onChange, wide = false }: CardChoiceProps) {
  return (
    <RadioGroup.Root
      aria-label={label}
      value={value}
      onValueChange={onChange}
      className={clsx(
        "grid gap-3",
        wide
          ? "sm:grid-cols-[repeat(auto-fill,minmax(15rem,1fr))]"
          : "sm:grid-cols-[repeat(auto-fit,minmax(11rem,1fr))]",
      )}
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          className={clsx(
            "flex flex-col gap-1 rounded-xl border border-line-strong p-4 text-left enabled:hover:bg-sunken disabled:opacity-70",
            "data-[state=checked]:border-accent data-[state=checked]:bg-accent-soft data-[state=checked]:outline-1 data-[state=checked]:outline-accent",
          )}
        >
          <span className="flex flex-wrap items-center gap-x-2 font-medium">
            {option.icon}
            {option.title}
          </span>
          <span className="text-sm text-muted">{option.text}</span>
          {option.note && <span className="mt-auto pt-1 text-sm">{option.note}</span>}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}

interface SegmentProps {
  label: string;
  value: string;
  options: readonly { value: string; label: string; icon?: ReactNode }[];
  onChange: (value: string) => void;
  /** Shows the icons only; the labels stay for screen readers. */
  iconsOnly?: boolean;
  small?: boolean;
}

/** One of two to four short choices, all in sight. */
export function Segments({ label, value, options, onChange, iconsOnly = false, small = false }: SegmentProps) {
  return (
    <RadioGroup.Root
      aria-label={label}
      value={value}
      onValueChange={onChange}
      className={clsx(
        "flex rounded-lg border border-line-strong bg-surface",
        small ? "h-7 p-px text-sm" : "h-10 p-[3px]",
      )}
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          aria-label={option.label}
          title={iconsOnly ? option.label : undefined}
          className="flex items-center gap-2 rounded-md px-2.5 text-muted hover:text-ink data-[state=checked]:bg-accent-soft data-[state=checked]:font-medium data-[state=checked]:text-accent"
        >
          {option.icon}
          {!iconsOnly && option.label}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
