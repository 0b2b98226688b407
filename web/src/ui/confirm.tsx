import { type ReactNode, useState } from "react";
import { Button } from "./button";
import { Dialog, DialogActions } from "./dialog";
import { ProblemNote } from "./problem";

interface ConfirmProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
  action: string;
  onConfirm: () => Promise<unknown>;
}

/** Asks before something that cannot be undone; stays open and says why when it fails. */
export function Confirm({ open, onOpenChange, title, children, action, onConfirm }: ConfirmProps) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function confirm() {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onOpenChange(false);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={title}>
      <div className="text-muted">{children}</div>
      {error !== null && <ProblemNote error={error} className="mt-4" />}
      <DialogActions>
        <Button onClick={() => onOpenChange(false)}>Keep it</Button>
        <Button look="danger" busy={busy} onClick={confirm}>
          {action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
