import type { ReactNode } from "react";
import { Button } from "./button";

interface SaveBarProps {
  /** What waits to be saved, such as "3 changes". */
  text: string;
  action: ReactNode;
  busy?: boolean;
  disabled?: boolean;
  /** The id of the form that the button submits; without one `onSave` is called. */
  form?: string;
  onSave?: () => void;
  onDiscard?: (() => void) | undefined;
  /** More to do, beside saving. */
  children?: ReactNode;
}

/** Says that there are changes, and stays in sight until they are saved or discarded. */
export function SaveBar({
  text,
  action,
  busy = false,
  disabled = false,
  form,
  onSave,
  onDiscard,
  children,
}: SaveBarProps) {
  return (
    <section
      aria-label="Unsaved changes"
      className="card sticky bottom-20 z-20 flex flex-wrap items-center gap-3 px-4 py-3 shadow-lg md:bottom-4"
    >
      <p role="status" className="mr-auto font-medium">
        {text}
      </p>
      {onDiscard && <Button onClick={onDiscard}>Discard</Button>}
      {children}
      <Button
        look="primary"
        type={form ? "submit" : "button"}
        form={form}
        busy={busy}
        disabled={disabled}
        onClick={form ? undefined : onSave}
      >
        {action}
      </Button>
    </section>
  );
}
