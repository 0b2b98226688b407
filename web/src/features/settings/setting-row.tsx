import { type FormEvent, useState } from "react";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { toast } from "@/ui/toaster";
import { useSaveSetting } from "./queries";
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
  return <Editor key={own} row={row} own={own} scope={scope} readOnly={readOnly} onSaved={onSaved} />;
}

interface EditorProps extends Props {
  /** What is stored in the chosen scope, as it is typed. */
  own: string;
}

function Editor({ row, own, scope, readOnly, onSaved }: EditorProps) {
  const [typed, setTyped] = useState(own);
  const save = useSaveSetting();
  const { known, key, label } = row;
  const parsed = parse(known, typed);
  const isChanged = typed !== own;

  function store(value: typeof parsed.value) {
    if (value === undefined) return;
    save.mutate(
      { category: known.category, key, scope, value },
      {
        onSuccess: () => {
          toast.success(value === null ? `${label} is inherited again.` : `${label} is saved.`);
          onSaved?.();
        },
      },
    );
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    store(parsed.value);
  }

  return (
    <li className="py-3">
      <form onSubmit={submit}>
        <fieldset disabled={readOnly} className="grid items-start gap-x-4 sm:grid-cols-[minmax(0,36rem)_auto]">
          <Control
            row={row}
            typed={typed}
            onType={setTyped}
            error={(isChanged ? parsed.fault : undefined) ?? (save.error ? asProblem(save.error).message : undefined)}
          />
          {!readOnly && (
            <div className="flex gap-2 sm:pt-6">
              {isChanged && (
                <Button
                  type="submit"
                  size="sm"
                  look="primary"
                  busy={save.isPending}
                  disabled={parsed.fault !== undefined}
                >
                  Save<span className="sr-only"> {label}</span>
                </Button>
              )}
              {!isChanged && own !== "" && (
                <Button size="sm" busy={save.isPending} onClick={() => store(null)}>
                  Reset to inherited<span className="sr-only"> {label}</span>
                </Button>
              )}
            </div>
          )}
        </fieldset>
      </form>
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
