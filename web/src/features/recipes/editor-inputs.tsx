import { Plus, Trash2 } from "lucide-react";
import type { InputType, RecipeFault } from "@/client";
import { Button, IconButton } from "@/ui/button";
import { CheckField, SelectField, TextField } from "@/ui/field";
import { type DraftInput, faultAt, newInput } from "./draft";

const TYPES: InputType[] = ["string", "number", "integer", "boolean", "array", "object"];
const LABELS: Record<string, string> = {
  string: "text",
  boolean: "yes or no",
  array: "JSON list",
  object: "JSON object",
};

interface Props {
  inputs: DraftInput[];
  faults: RecipeFault[];
  onChange: (inputs: DraftInput[]) => void;
}

export function InputsEditor({ inputs, faults, onChange }: Props) {
  function change(key: string, part: Partial<DraftInput>) {
    onChange(inputs.map((input) => (input.key === key ? { ...input, ...part } : input)));
  }

  return (
    <div className="grid gap-3">
      {inputs.map((input, index) => (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset would restyle the row
        <div
          key={input.key}
          role="group"
          aria-label={`Input ${index + 1}`}
          className="grid items-start gap-x-4 gap-y-1 rounded-xl border p-4 sm:grid-cols-[1fr_9rem_1fr] lg:grid-cols-[1fr_9rem_2fr_1fr_auto_auto]"
        >
          <TextField
            label="Name"
            required
            maxLength={100}
            pattern="[A-Za-z_][A-Za-z0-9_\-]*"
            title="Letters, digits, hyphens and underscores, not starting with a digit"
            value={input.name}
            onChange={(event) => change(input.key, { name: event.target.value })}
            error={
              inputs.some((other) => other.key !== input.key && other.name === input.name)
                ? "Another input has this name."
                : faultAt(
                    faults.filter(({ where }) => !where.endsWith(".default")),
                    `inputs.${input.name}`,
                  )
            }
          />
          <SelectField
            label="Type"
            value={input.type}
            onChange={(event) => change(input.key, { type: event.target.value as InputType })}
          >
            {TYPES.map((type) => (
              <option key={type} value={type}>
                {LABELS[type] ?? type}
              </option>
            ))}
          </SelectField>
          <TextField
            label="What to enter"
            optional
            maxLength={500}
            value={input.description ?? ""}
            onChange={(event) => change(input.key, { description: event.target.value })}
          />
          <DefaultField
            input={input}
            error={faultAt(faults, `inputs.${input.name}.default`)}
            onChange={(defaultText) => change(input.key, { defaultText })}
          />
          <CheckField
            className="sm:mt-7"
            label="Required"
            checked={input.required}
            onChange={(event) => change(input.key, { required: event.target.checked })}
          />
          <IconButton
            label={`Remove the input ${input.name}`}
            className="sm:mt-6"
            onClick={() => onChange(inputs.filter((other) => other.key !== input.key))}
          >
            <Trash2 aria-hidden className="size-4" />
          </IconButton>
        </div>
      ))}
      <Button className="justify-self-start" onClick={() => onChange([...inputs, newInput(inputs.length + 1)])}>
        <Plus aria-hidden className="size-4" /> Add an input
      </Button>
    </div>
  );
}

interface DefaultProps {
  input: DraftInput;
  error: string | undefined;
  onChange: (text: string) => void;
}

/** What is taken when nothing is entered. */
function DefaultField({ input, error, onChange }: DefaultProps) {
  if (input.type === "boolean") {
    return (
      <SelectField
        label="Default"
        value={input.defaultText}
        error={error}
        onChange={(event) => onChange(event.target.value)}
      >
        <option value="">none</option>
        <option value="true">yes</option>
        <option value="false">no</option>
        {!["", "true", "false"].includes(input.defaultText) && <option>{input.defaultText}</option>}
      </SelectField>
    );
  }
  return (
    <TextField
      label="Default"
      optional
      value={input.defaultText}
      error={error}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
