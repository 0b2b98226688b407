import { clsx } from "clsx";
import { Field } from "./field";

interface NumberProps {
  label: string;
  value: number | null;
  /** An empty field is null; whether that is allowed is the caller's to say. */
  onChange: (value: number | null) => void;
  min: number;
  max: number;
  step?: number;
  unit?: string;
  hint?: string;
  error?: string | undefined;
  optional?: boolean;
  /** What an empty field means, such as "provider's own". */
  placeholder?: string;
  /** Adds a slider for values that are easier felt than typed. */
  slider?: boolean;
  className?: string;
}

/** What is wrong with a number that must lie between two others; undefined when nothing is. */
export function numberFault(value: number | null, min: number, max: number, optional = false): string | undefined {
  if (value === null) return optional ? undefined : `Enter a number from ${min} to ${max}.`;
  return value < min || value > max ? `Must be from ${min} to ${max}.` : undefined;
}

/** A number with its unit and its range; nought is a number like any other. */
export function NumberField(props: NumberProps) {
  const { label, value, onChange, min, max, step = 1, unit, hint, error, optional, placeholder, slider } = props;
  return (
    <Field
      label={label}
      hint={hint ?? `${min} to ${max.toLocaleString("en")}${unit ? ` ${unit}` : ""}`}
      error={error ?? numberFault(value, min, max, optional)}
      optional={optional}
      className={props.className}
    >
      {(control) => (
        <div className="flex items-center gap-3">
          {slider && (
            <input
              type="range"
              aria-label={`${label}, slider`}
              min={min}
              max={max}
              step={step}
              value={value ?? min}
              onChange={(event) => onChange(event.target.valueAsNumber)}
              className={clsx("h-10 min-w-0 flex-1 accent-accent", value === null && "opacity-50")}
            />
          )}
          <div className={clsx("relative", slider ? "w-32 shrink-0" : "w-full")}>
            <input
              {...control}
              type="number"
              inputMode={Number.isInteger(step) ? "numeric" : "decimal"}
              min={min}
              max={max}
              step={step}
              value={value ?? ""}
              placeholder={placeholder}
              onChange={(event) => onChange(event.target.value === "" ? null : event.target.valueAsNumber)}
              className={clsx("field-box h-10 tabular placeholder:text-muted", unit && "pr-16")}
            />
            {unit && (
              <span
                aria-hidden
                className="pointer-events-none absolute inset-y-0 right-3 grid items-center text-sm text-muted"
              >
                {unit}
              </span>
            )}
          </div>
        </div>
      )}
    </Field>
  );
}
