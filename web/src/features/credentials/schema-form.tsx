import type { CredentialField } from "@/client/system";
import type { Problem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { CheckField, SelectField, TextArea, TextField } from "@/ui/field";
import type { FieldValue, FieldValues, SchemaField } from "./schema-fields";

interface Props {
  fields: readonly SchemaField[];
  values: FieldValues;
  onChange: (name: string, value: FieldValue) => void;
  problem: Problem | null;
  /** What is stored already, by name; its secrets are shown as set, never as what they are. */
  stored?: Record<string, CredentialField>;
  /** Secrets that are being typed anew. */
  replaced?: readonly string[];
  onReplace?: (name: string) => void;
}

/** The fields that a type of credentials asks for. */
export function SchemaForm({ fields, values, onChange, problem, stored = {}, replaced = [], onReplace }: Props) {
  return fields.map((field) => {
    const known = stored[field.name];
    if (field.isSecret && known?.is_set && !replaced.includes(field.name)) {
      return (
        <KeptSecret key={field.name} field={field} hint={known.hint ?? ""} onReplace={() => onReplace?.(field.name)} />
      );
    }
    return (
      <Control
        key={field.name}
        field={field}
        value={values[field.name] ?? field.start}
        onChange={(value) => onChange(field.name, value)}
        error={problem?.forField(`data.${field.name}`) ?? problem?.forField(field.name)}
      />
    );
  });
}

interface KeptProps {
  field: SchemaField;
  hint: string;
  onReplace: () => void;
}

/** A stored secret: it can be replaced, not read. */
function KeptSecret({ field, hint, onReplace }: KeptProps) {
  return (
    <div className="mb-6 grid gap-1">
      <p className="text-sm font-medium">{field.label}</p>
      <div className="flex items-center gap-3 rounded-lg border border-line-strong bg-sunken py-1 pr-1 pl-3">
        <span className="min-w-0 flex-1 truncate text-muted">
          {hint ? `Set, ends in ${hint.replace("…", "")}` : "Set"}
        </span>
        <Button size="sm" onClick={onReplace}>
          Replace<span className="sr-only"> {field.label}</span>
        </Button>
      </div>
    </div>
  );
}

interface ControlProps {
  field: SchemaField;
  value: FieldValue;
  onChange: (value: FieldValue) => void;
  error: string | undefined;
}

function Control({ field, value, onChange, error }: ControlProps) {
  const described = { label: field.label, hint: field.hint, error, optional: !field.isRequired };
  if (field.kind === "boolean") {
    return (
      <CheckField
        className="mb-3"
        label={field.label}
        hint={error ?? field.hint}
        checked={value === true}
        onChange={(event) => onChange(event.target.checked)}
      />
    );
  }
  const text = String(value);
  const common = {
    ...described,
    value: text,
    required: field.isRequired,
    placeholder: field.placeholder,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  if (field.kind === "select") {
    return (
      <SelectField {...common}>
        {!field.isRequired && <option value="">none</option>}
        {field.options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </SelectField>
    );
  }
  if (field.kind === "long") {
    return <TextArea {...common} rows={6} maxLength={field.maxLength} autoComplete="off" spellCheck={false} />;
  }
  if (field.kind === "number") {
    return <TextField {...common} type="number" min={field.minimum} max={field.maximum} step="any" />;
  }
  return <TextField {...common} type={field.kind} maxLength={field.maxLength} autoComplete="off" />;
}
