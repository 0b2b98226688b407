import { useState } from "react";
import { differencesOf, type Names } from "@/features/agents/fields";
import * as beats from "@/features/heartbeats/draft";
import { mergedOf, type Side, sidesOf } from "@/lib/changes";
import { Button } from "@/ui/button";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { Dialog, DialogActions } from "@/ui/dialog";
import { type Difference, DiffList } from "@/ui/diff-list";
import { ProblemNote } from "@/ui/problem";
import type { Conflict, Saved, SettingsSave } from "./agent-settings-save";

interface ReviewProps {
  name: string;
  rows: Difference[];
  save: SettingsSave;
  onClose: () => void;
}

/** What will change, before it is saved; stays open and says what could not be saved. */
export function SettingsReview({ name, rows, save, onClose }: ReviewProps) {
  async function store() {
    if ((await save.all()) !== "refused") onClose();
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

interface ConflictProps {
  save: SettingsSave;
  conflict: Conflict;
  names: Names;
  onSettled: (saved: Saved) => void;
}

/** Somebody saved first: both sides of every field that differs, for the person to choose. */
export function SettingsConflict({ save, conflict, names, onSettled }: ConflictProps) {
  if (conflict.of === "agent") {
    return (
      <Sides
        {...conflict}
        what="agent"
        save={save}
        onSettled={onSettled}
        rows={differencesOf(conflict.stored.data, conflict.mine, names)}
        keyOf={(row) => row.key as keyof typeof conflict.mine}
      />
    );
  }
  return (
    <Sides
      {...conflict}
      what="heartbeat"
      save={save}
      onSettled={onSettled}
      rows={beats.differencesOf(conflict.stored.data, conflict.mine)}
      keyOf={(row) => row.key.replace("heartbeat.", "") as keyof typeof conflict.mine}
    />
  );
}

interface SidesProps<T extends object> {
  what: string;
  base: T;
  mine: T;
  stored: { data: T };
  rows: Difference[];
  keyOf: (row: Difference) => keyof T;
  save: SettingsSave;
  onSettled: (saved: Saved) => void;
}

function Sides<T extends Parameters<SettingsSave["settle"]>[0]>({
  what,
  base,
  mine,
  stored,
  rows,
  keyOf,
  save,
  onSettled,
}: SidesProps<T>) {
  const [sides, setSides] = useState<Map<keyof T, Side>>(() => sidesOf(base, mine, stored.data));
  const fieldOf = (key: string) => keyOf({ key, label: "", before: "", after: "" });
  return (
    <ConflictDialog
      title={`Somebody else saved this ${what} first`}
      description="Your changes are still here. What only they changed is theirs already; choose for the rest."
      rows={rows}
      isMine={(key) => sides.get(fieldOf(key)) === "mine"}
      onSide={(key, isMine) => setSides((now) => new Map(now).set(fieldOf(key), isMine ? "mine" : "theirs"))}
      isBusy={save.isBusy}
      onSave={() => void save.settle(mergedOf(mine, stored.data, sides)).then(onSettled)}
      onTakeTheirs={save.takeTheirs}
      onClose={save.closeConflict}
    />
  );
}
