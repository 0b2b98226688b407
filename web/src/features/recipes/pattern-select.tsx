import { SelectField } from "@/ui/field";

export interface PatternOption {
  slug: string;
  name: string;
}

interface Props {
  patterns: readonly PatternOption[];
  value: string | null;
  onChange: (slug: string | null) => void;
  error: string | undefined;
}

/** The way of working together whose words a step's agent reads after the prompt, if any. */
export function PatternSelect({ patterns, value, onChange, error }: Props) {
  const isGone = value !== null && !patterns.some((one) => one.slug === value);
  return (
    <SelectField
      label="Pattern"
      optional
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || null)}
      hint="Its words follow the prompt."
      error={error}
    >
      <option value="">None</option>
      {isGone && <option value={value}>{value}, which is not there</option>}
      {patterns.map(({ slug, name }) => (
        <option key={slug} value={slug}>
          {name}
        </option>
      ))}
    </SelectField>
  );
}
