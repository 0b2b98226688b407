import type { Environment } from "@/client/system";
import { SelectField } from "@/ui/field";

const ENVIRONMENTS: { value: Environment; label: string }[] = [
  { value: "production", label: "Production" },
  { value: "staging", label: "Staging" },
  { value: "development", label: "Development" },
];

interface Props {
  value: Environment;
  onChange: (value: Environment) => void;
}

/** For agents of which environment a credential is. */
export function EnvironmentSelect({ value, onChange }: Props) {
  return (
    <SelectField
      label="Environment"
      value={value}
      onChange={(event) => onChange(event.target.value as Environment)}
      hint="Agents of this environment use it first; production is the usual one."
    >
      {ENVIRONMENTS.map(({ value: one, label }) => (
        <option key={one} value={one}>
          {label}
        </option>
      ))}
    </SelectField>
  );
}
