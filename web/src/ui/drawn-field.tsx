import { type Drawn, wordsOf } from "@/lib/drawn";
import { SelectField, TextField } from "./field";
import { NumberField } from "./number-field";
import { SwitchField } from "./switch";

interface Props {
  field: Drawn;
  value: unknown;
  onChange: (value: number | boolean | string | null) => void;
  error?: string | undefined;
  className?: string;
}

const rangeOf = ({ min, max, unit }: Drawn) => `${min} to ${max.toLocaleString("en")}${unit && ` ${unit}`}`;

/** The control for a field as its schema describes it: name, meaning, range and words are the server's. */
export function DrawnField({ field, value, onChange, error, className = "" }: Props) {
  const { label, meaning } = field;
  switch (field.kind) {
    case "number":
      return (
        <NumberField
          label={label}
          value={value as number | null}
          onChange={onChange}
          min={field.min}
          max={field.max}
          step={field.step}
          unit={field.unit}
          hint={`${meaning} ${rangeOf(field)}.`}
          error={error}
          optional={field.isOptional}
          className={className}
        />
      );
    case "switch":
      return (
        <div className="pt-6">
          <SwitchField label={label} hint={meaning} checked={value === true} onChange={onChange} />
        </div>
      );
    case "choice":
      return (
        <SelectField
          label={label}
          hint={meaning}
          error={error}
          className={className}
          value={String(value)}
          onChange={({ target }) => onChange(target.value)}
        >
          {field.words.map((word) => (
            <option key={word} value={word}>
              {wordsOf(word)}
            </option>
          ))}
        </SelectField>
      );
    case "text":
      return (
        <TextField
          label={label}
          hint={meaning}
          error={error}
          className={className}
          value={String(value)}
          maxLength={field.longest}
          onChange={({ target }) => onChange(target.value)}
        />
      );
  }
}
