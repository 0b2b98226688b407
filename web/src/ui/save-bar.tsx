import { Button } from "./button";

interface SaveBarProps {
  /** What waits to be saved, such as "3 changes". */
  text: string;
  action: string;
  busy?: boolean;
  disabled?: boolean;
  onSave: () => void;
  onDiscard: () => void;
}

/** Says that there are changes, and stays in sight until they are saved or discarded. */
export function SaveBar({ text, action, busy = false, disabled = false, onSave, onDiscard }: SaveBarProps) {
  return (
    <section
      aria-label="Unsaved changes"
      className="card sticky bottom-20 z-20 flex flex-wrap items-center gap-3 px-4 py-3 shadow-lg md:bottom-4"
    >
      <p role="status" className="mr-auto font-medium">
        {text}
      </p>
      <Button onClick={onDiscard}>Discard</Button>
      <Button look="primary" busy={busy} disabled={disabled} onClick={onSave}>
        {action}
      </Button>
    </section>
  );
}
