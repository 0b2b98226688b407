import { useEffect, useRef } from "react";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { type Difference, DiffList } from "@/ui/diff-list";
import { ProblemNote } from "@/ui/problem";
import type { SettingsSave } from "./agent-settings-save";

interface ReviewProps {
  name: string;
  rows: Difference[];
  save: SettingsSave;
  onClose: () => void;
}

/** What will change, before it is saved; stays open and says what could not be saved. */
export function SettingsReview({ name, rows, save, onClose }: ReviewProps) {
  // Closed while it saves and opened again, the other one stays open: there is more to look at by then.
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);

  async function store() {
    if ((await save.all()) !== "refused" && isShown.current) onClose();
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      wide
      title={`Save ${name}?`}
      description="Runs that are under way keep what they started with."
    >
      <DiffList rows={rows} />
      {save.agentProblem && <Failed what="Nothing was saved." problem={save.agentProblem} />}
      {save.beatProblem && (
        <Failed what="The heartbeat was not saved; everything else was." problem={save.beatProblem} />
      )}
      <DialogActions>
        <Button onClick={onClose}>Keep editing</Button>
        <Button look="primary" busy={save.isBusy} onClick={() => void store()}>
          Save
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function Failed({ what, problem }: { what: string; problem: unknown }) {
  return (
    <div className="mt-4 grid gap-2">
      <p className="font-medium text-bad">{what}</p>
      <ProblemNote error={problem} />
    </div>
  );
}
