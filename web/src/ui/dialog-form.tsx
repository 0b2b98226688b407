import type { FormEvent, ReactNode } from "react";
import type { KeptDraft } from "@/lib/kept-draft";
import type { Problem } from "@/lib/problem";
import { Button } from "./button";
import { DialogActions } from "./dialog";
import { ProblemNote } from "./problem";
import { RestoreNote } from "./restore-note";

interface Props {
  /** What was typed into it on an earlier visit and never sent. */
  kept?: KeptDraft | null;
  etag?: string | null;
  /** What it begins from, such as "an empty form". */
  basis?: string;
  problem: Problem | null;
  /** What the button that sends it says. */
  action: string;
  busy: boolean;
  disabled?: boolean;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** The form in a dialog: what was kept of it, its fields, why it was refused, and the two ways out. */
export function DialogForm(props: Props) {
  const { kept = null, etag = null, basis, problem, action, busy, disabled = false, onSubmit, onClose } = props;

  function submit(event: FormEvent) {
    event.preventDefault();
    onSubmit();
  }

  return (
    <form onSubmit={submit} className="grid gap-2">
      <RestoreNote kept={kept} etag={etag} {...(basis ? { basis } : {})} />
      {props.children}
      {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
      <DialogActions>
        <Button onClick={onClose}>Not now</Button>
        <Button type="submit" look="primary" busy={busy} disabled={disabled}>
          {action}
        </Button>
      </DialogActions>
    </form>
  );
}

/** The end of a dialog that has done what it is for. */
export function DialogDone({ onClose }: { onClose: () => void }) {
  return (
    <DialogActions>
      <Button look="primary" onClick={onClose}>
        Done
      </Button>
    </DialogActions>
  );
}
