import type { RecipeInput } from "@/client";
import { CheckField, TextArea, TextField } from "@/ui/field";

export type InputValues = Record<string, string | boolean>;

const isNumber = (type: string) => type === "number" || type === "integer";
const isText = (type: string) => type === "string";

/** What the form starts with: an earlier run's inputs, else the defaults. */
export function startingValues(inputs: Record<string, RecipeInput>, earlier?: Record<string, unknown>): InputValues {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => {
      const value = earlier?.[name] ?? input.default;
      if (input.type === "boolean") return [name, value === true];
      if (value == null) return [name, ""];
      return [name, typeof value === "object" ? JSON.stringify(value, null, 2) : String(value)];
    }),
  );
}

type Read = { value: unknown } | { fault: string };

function numberOf(text: string, isWhole: boolean): Read {
  const value = Number(text);
  if (Number.isNaN(value)) return { fault: "This must be a number." };
  return isWhole && !Number.isInteger(value) ? { fault: "This must be a whole number." } : { value };
}

function jsonOf(text: string, type: string): Read {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { fault: `This must be JSON (${type}).` };
  }
}

function readInput({ type, required }: RecipeInput, typed: string | boolean | undefined): Read | null {
  if (typed === "" || typed === undefined) return required ? { fault: "This one is needed." } : null;
  if (typeof typed === "boolean" || isText(type)) return { value: typed };
  return isNumber(type) ? numberOf(typed, type === "integer") : jsonOf(typed, type);
}

/** The typed values to send; `faults` names all that are missing or cannot be read. The rest is the server's to say. */
export function readInputs(inputs: Record<string, RecipeInput>, values: InputValues) {
  const read: Record<string, unknown> = {};
  const faults: Record<string, string> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const found = readInput(input, values[name]);
    if (found && "fault" in found) faults[name] = found.fault;
    else if (found) read[name] = found.value;
  }
  return { inputs: read, faults };
}

interface Props {
  inputs: Record<string, RecipeInput>;
  values: InputValues;
  onChange: (name: string, value: string | boolean) => void;
  faultOf: (name: string) => string | undefined;
}

/** One field for each input that a recipe declares. */
export function CookInputs({ inputs, values, onChange, faultOf }: Props) {
  const entries = Object.entries(inputs);
  if (entries.length === 0) return <p className="text-muted">This recipe takes no inputs.</p>;
  return (
    <div className="grid gap-2">
      {entries.map(([name, input]) => {
        const value = values[name];
        const shared = { label: name, optional: !input.required, error: faultOf(name), hint: input.description };
        if (typeof value === "boolean") {
          return (
            <CheckField
              key={name}
              label={name}
              hint={input.description}
              checked={value}
              onChange={(event) => onChange(name, event.target.checked)}
            />
          );
        }
        if (isNumber(input.type)) {
          return (
            <TextField
              key={name}
              {...shared}
              type="number"
              step={input.type === "integer" ? 1 : "any"}
              value={value ?? ""}
              required={input.required}
              onChange={(event) => onChange(name, event.target.value)}
            />
          );
        }
        return (
          <TextArea
            key={name}
            {...shared}
            rows={isText(input.type) && (value ?? "").length < 80 ? 2 : 5}
            className={isText(input.type) ? "" : "[&_textarea]:font-mono"}
            value={value ?? ""}
            required={input.required}
            onChange={(event) => onChange(name, event.target.value)}
          />
        );
      })}
    </div>
  );
}
