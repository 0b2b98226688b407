import { clsx } from "clsx";
import type { ComponentProps, ReactNode } from "react";
import { Spinner } from "./spinner";

const BASE =
  "inline-flex items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap select-none transition-colors " +
  "disabled:opacity-55 disabled:cursor-not-allowed aria-disabled:opacity-55";

const LOOKS = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  secondary: "bg-surface text-ink border border-line-strong hover:bg-sunken",
  quiet: "text-muted hover:bg-sunken hover:text-ink",
  danger: "bg-surface text-bad border border-bad hover:bg-bad-soft",
};

const SIZES = {
  md: "h-10 px-4",
  sm: "h-8 px-3 text-sm",
  icon: "size-9 shrink-0",
  "small-icon": "size-7 shrink-0",
};

export interface ButtonLook {
  look?: keyof typeof LOOKS;
  size?: keyof typeof SIZES;
}

/** The classes of a button, for links that look like one. */
export function buttonClass({ look = "secondary", size = "md" }: ButtonLook = {}): string {
  return clsx(BASE, LOOKS[look], SIZES[size]);
}

interface ButtonProps extends ComponentProps<"button">, ButtonLook {
  /** Shows a spinner and refuses a second press. */
  busy?: boolean;
  children: ReactNode;
}

export function Button({ look, size, busy = false, className, children, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={clsx(buttonClass({ look, size }), className)}
      aria-busy={busy || undefined}
      {...rest}
      disabled={rest.disabled || busy}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ComponentProps<"button"> {
  /** What the button does; there is no other text. */
  label: string;
  small?: boolean;
  children: ReactNode;
}

export function IconButton({ label, small = false, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={clsx(buttonClass({ look: "quiet", size: small ? "small-icon" : "icon" }), className)}
      {...rest}
    >
      {children}
    </button>
  );
}
