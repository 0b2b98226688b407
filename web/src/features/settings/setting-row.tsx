import { useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { comparing, taggedByContent } from "@/lib/comparing";
import { type Saved, useEdited } from "@/lib/edited";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { RestoreNote } from "@/ui/restore-note";
import { toast } from "@/ui/toaster";
import { settingsQuery, useSaveSetting } from "./queries";
import { parse, type Row, type Scope, sourceOf, textOf } from "./values";

interface Props {
  row: Row;
  scope: Scope;
  readOnly: boolean;
  onSaved?: () => void;
}

/** One setting: its value in the chosen scope, where it comes from, and the way back to what lies beneath. */
export function SettingRow({ row, scope, readOnly, onSaved }: Props) {
  const own = row.stored?.scope === scope ? textOf(row.stored.value) : "";
  return <Editor row={row} own={own} scope={scope} readOnly={readOnly} onSaved={onSaved} />;
}

interface Typed {
  typed: string;
}

interface EditorProps extends Props {
  /** What is stored in the chosen scope, as it is typed. */
  own: string;
}

function Editor({ row, own, scope, readOnly, onSaved }: EditorProps) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const save = useSaveSetting();
  const { known, key, label } = row;
  const edit = useEdited(taggedByContent({ typed: own }), {
    keep: readOnly ? null : { kind: "setting", id: `${scope} ${known.category} ${key}` },
  });
  const { typed } = edit.draft;
  const parsed = parse(known, typed);
  const isChanged = edit.isDirty;
  const error = edit.problem ?? (save.error ? asProblem(save.error) : null);

  const storage = comparing<Typed>({
    send: async ({ after }) => {
      const value = parse(known, after.typed).value ?? null;
      const stored = await save.mutateAsync({ category: known.category, key, scope, value });
      return taggedByContent({ typed: value === null ? "" : textOf(stored.value) });
    },
    read: async () => {
      const { items } = await cache.fetchQuery({ ...settingsQuery(workspace), staleTime: 0 });
      const found = items.find((one) => one.category === known.category && one.key === key && one.scope === scope);
      return taggedByContent({ typed: textOf(found?.value) });
    },
  });

  function told(saved: Saved): Saved {
    if (saved !== "stored") return saved;
    toast.success(`${label} is saved.`);
    onSaved?.();
    return saved;
  }

  function reset() {
    save.mutate(
      { category: known.category, key, scope, value: null },
      { onSuccess: () => toast.success(`${label} is inherited again.`) },
    );
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (parsed.value !== undefined) void edit.save(storage).then(told);
  }

  return (
    <li className="py-3">
      <form onSubmit={submit}>
        <fieldset disabled={readOnly} className="grid items-start gap-x-4 sm:grid-cols-[minmax(0,36rem)_auto]">
          <Control
            row={row}
            typed={typed}
            onType={(text) => edit.change({ typed: text })}
            error={(isChanged ? parsed.fault : undefined) ?? error?.message}
          />
          {!readOnly && (
            <div className="flex gap-2 sm:pt-6">
              {isChanged && (
                <Button
                  type="submit"
                  size="sm"
                  look="primary"
                  busy={edit.isSaving}
                  disabled={parsed.fault !== undefined}
                >
                  Save<span className="sr-only"> {label}</span>
                </Button>
              )}
              {!isChanged && own !== "" && (
                <Button size="sm" busy={save.isPending} onClick={reset}>
                  Reset to inherited<span className="sr-only"> {label}</span>
                </Button>
              )}
            </div>
          )}
        </fieldset>
      </form>
      <RestoreNote kept={edit.kept} etag={edit.etag} />
      <ConflictDialog
        what="setting"
        edit={edit}
        rows={(stored, mine) => [{ key: "typed", label, before: stored.typed, after: mine.typed }]}
        onSave={(sides) => edit.settle(sides, storage).then(told)}
      />
    </li>
  );
}

interface ControlProps {
  row: Row;
  typed: string;
  onType: (text: string) => void;
  error: string | undefined;
}

function Control({ row, typed, onType, error }: ControlProps) {
  const { known, label } = row;
  const source = sourceOf(row);
  const common = {
    label,
    hint: `${known.description} ${source}`,
    error,
    value: typed,
    onChange: (event: { target: { value: string } }) => onType(event.target.value),
  };
  const options = known.options ?? (known.value_type === "boolean" ? [true, false] : null);
  if (options) {
    return (
      <SelectField {...common}>
        <option value="">inherited</option>
        {options.map((option) => (
          <option key={textOf(option)} value={textOf(option)}>
            {option === true ? "yes" : option === false ? "no" : textOf(option)}
          </option>
        ))}
      </SelectField>
    );
  }
  if (known.value_type === "json") return <TextArea {...common} rows={4} spellCheck={false} placeholder="inherited" />;
  if (known.value_type === "number") {
    return (
      <TextField
        {...common}
        type="number"
        step="any"
        min={known.minimum ?? undefined}
        max={known.maximum ?? undefined}
        placeholder="inherited"
      />
    );
  }
  return <TextField {...common} placeholder="inherited" />;
}
