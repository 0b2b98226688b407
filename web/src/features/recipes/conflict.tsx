import type { Recipe } from "@/client";
import { formatAgo } from "@/lib/format";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { type Draft, draftOf } from "./draft";

interface Props {
  mine: Draft;
  theirs: Recipe;
  agentName: (id: number | null) => string;
  isBusy: boolean;
  onKeepMine: () => void;
  onTakeTheirs: () => void;
  onClose: () => void;
}

/** Somebody saved the same recipe first: shows both sides and lets the person choose. Nothing is lost until they do. */
export function ConflictDialog({ mine, theirs, agentName, isBusy, onKeepMine, onTakeTheirs, onClose }: Props) {
  const rows = compare(mine, draftOf(theirs), agentName);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      wide
      title="Somebody else saved this recipe first"
      description={`Version ${theirs.version} was saved ${formatAgo(theirs.updated_at)}. Your changes are still here.`}
    >
      {rows.length === 0 ? (
        <p>Both sides say the same.</p>
      ) : (
        <dl className="grid gap-4">
          {rows.map((row) => (
            <div key={row.label}>
              <dt className="mb-1 font-medium">{row.label}</dt>
              <dd className="grid gap-2 sm:grid-cols-2">
                <Side label="Yours" text={row.mine} tone="bg-accent-soft" />
                <Side label="Stored" text={row.theirs} tone="bg-sunken" />
              </dd>
            </div>
          ))}
        </dl>
      )}
      <DialogActions>
        <Button onClick={onClose}>Keep editing</Button>
        <Button onClick={onTakeTheirs}>Discard mine, take the stored one</Button>
        <Button look="primary" busy={isBusy} onClick={onKeepMine}>
          Save mine as version {theirs.version + 1}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function Side({ label, text, tone }: { label: string; text: string; tone: string }) {
  return (
    <div className={`min-w-0 rounded-lg p-3 ${tone}`}>
      <p className="text-sm text-muted">{label}</p>
      <p className="break-words whitespace-pre-wrap">{text || "(nothing)"}</p>
    </div>
  );
}

interface Row {
  label: string;
  mine: string;
  theirs: string;
}

function compare(mine: Draft, theirs: Draft, agentName: (id: number | null) => string): Row[] {
  const inputs = (draft: Draft) =>
    draft.inputs.map((one) => `${one.name}: ${one.type}${one.required ? ", required" : ""}`).join("\n");
  const step = (draft: Draft, index: number) => {
    const one = draft.steps[index];
    return one ? `${one.stepId}, by ${agentName(one.agentId)}, as {${one.outputKey}}\n${one.prompt}` : "";
  };
  const longest = Math.max(mine.steps.length, theirs.steps.length);
  const rows: Row[] = [
    { label: "Name", mine: mine.name, theirs: theirs.name },
    { label: "Description", mine: mine.description, theirs: theirs.description },
    { label: "Inputs", mine: inputs(mine), theirs: inputs(theirs) },
    ...Array.from({ length: longest }, (_, index) => ({
      label: `Step ${index + 1}`,
      mine: step(mine, index),
      theirs: step(theirs, index),
    })),
  ];
  return rows.filter((row) => row.mine !== row.theirs);
}
