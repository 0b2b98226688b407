import { useState } from "react";
import type { Side } from "@/lib/changes";
import type { Edited, Saved } from "@/lib/edited";
import { Button } from "./button";
import { Segments } from "./choice";
import { Dialog, DialogActions } from "./dialog";
import { type Difference, DiffList } from "./diff-list";

interface ConflictProps<T extends object> {
  /** What is edited, in the middle of a sentence: "recipe". */
  what: string;
  edit: Edited<T>;
  /** The fields on which two states differ, in the words of the form; each by the key of its field. */
  rows: (stored: T, mine: T) => readonly Difference[];
  /** The field that a row is about, where rows are not named after their fields. */
  fieldOf?: (key: string) => string;
  onSave: (sides: ReadonlyMap<string, Side>) => Promise<Saved>;
  onSaved?: (saved: Saved) => void;
}

const SIDES = [
  { value: "mine", label: "Keep yours" },
  { value: "theirs", label: "Take stored" },
];

/** Shown while somebody else's save of the same thing waits for a choice: both sides, field by field. */
export function ConflictDialog<T extends object>(props: ConflictProps<T>) {
  const { conflict } = props.edit;
  return conflict && <Choice key={conflict.stored.etag} {...props} conflict={conflict} />;
}

type ChoiceProps<T extends object> = ConflictProps<T> & { conflict: NonNullable<Edited<T>["conflict"]> };

function Choice<T extends object>({ what, edit, conflict, rows, fieldOf, onSave, onSaved }: ChoiceProps<T>) {
  const [sides, setSides] = useState(edit.sides);
  const nameOf = fieldOf ?? ((key: string) => key);
  const shown = rows(conflict.stored.data, conflict.mine);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && edit.closeConflict()}
      wide
      title={`Somebody else saved this ${what} first`}
      description="Your changes are still here. What only they changed is theirs already; choose for the rest."
    >
      {shown.length === 0 ? (
        <p>Both sides say the same.</p>
      ) : (
        <DiffList
          rows={shown}
          sides={{ before: "Stored", after: "Yours" }}
          beside={(row) => (
            <Segments
              label={`${row.label}: which to keep`}
              value={sides.get(nameOf(row.key)) ?? "theirs"}
              options={SIDES}
              onChange={(side) => setSides((now) => new Map(now).set(nameOf(row.key), side as Side))}
            />
          )}
        />
      )}
      <DialogActions>
        <Button onClick={edit.closeConflict}>Keep editing</Button>
        <Button onClick={edit.takeTheirs}>Discard mine</Button>
        <Button look="primary" busy={edit.isSaving} onClick={() => void onSave(sides).then(onSaved)}>
          Save this choice
        </Button>
      </DialogActions>
    </Dialog>
  );
}
