import { Button } from "./button";
import { Segments } from "./choice";
import { Dialog, DialogActions } from "./dialog";
import { type Difference, DiffList } from "./diff-list";

interface ConflictProps {
  title: string;
  /** Who or what came first, and that nothing is lost. */
  description: string;
  /** Fields on which both sides differ: `before` is stored, `after` is yours. */
  rows: readonly Difference[];
  isMine: (key: string) => boolean;
  onSide: (key: string, isMine: boolean) => void;
  isBusy: boolean;
  onSave: () => void;
  onTakeTheirs: () => void;
  onClose: () => void;
}

const SIDES = [
  { value: "mine", label: "Keep yours" },
  { value: "theirs", label: "Take stored" },
];

/** Somebody saved the same thing first: shows both sides and lets the person choose, field by field. */
export function ConflictDialog(props: ConflictProps) {
  const { title, description, rows, isMine, onSide, isBusy, onSave, onTakeTheirs, onClose } = props;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} wide title={title} description={description}>
      {rows.length === 0 ? (
        <p>Both sides say the same.</p>
      ) : (
        <DiffList
          rows={rows}
          sides={{ before: "Stored", after: "Yours" }}
          beside={(row) => (
            <Segments
              label={`${row.label}: which to keep`}
              value={isMine(row.key) ? "mine" : "theirs"}
              options={SIDES}
              onChange={(side) => onSide(row.key, side === "mine")}
            />
          )}
        />
      )}
      <DialogActions>
        <Button onClick={onClose}>Keep editing</Button>
        <Button onClick={onTakeTheirs}>Discard mine</Button>
        <Button look="primary" busy={isBusy} onClick={onSave}>
          Save this choice
        </Button>
      </DialogActions>
    </Dialog>
  );
}
