import { clsx } from "clsx";
import { type ComponentProps, type ReactNode, useId } from "react";

interface Described {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
}

interface FieldProps extends Described {
  children: (control: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": true | undefined;
  }) => ReactNode;
  className?: string;
}

/** A label, its control, a hint, and an error line that is announced when it appears. */
export function Field({ label, hint, error, optional, children, className }: FieldProps) {
  const id = useId();
  const note = hint || error ? `${id}-note` : undefined;
  return (
    <div className={clsx("grid min-w-0 grid-cols-[minmax(0,1fr)] content-start gap-1", className)}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
        {optional && <span className="ml-1.5 font-normal text-muted">optional</span>}
      </label>
      {children({ id, "aria-describedby": note, "aria-invalid": error ? true : undefined })}
      <p id={note} aria-live="polite" className={clsx("min-h-2 text-sm", error ? "text-bad" : "text-muted")}>
        {error ?? hint}
      </p>
    </div>
  );
}

export function TextField({ label, hint, error, optional, className, ...rest }: Described & ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint} error={error} optional={optional} className={className}>
      {(control) => <input {...control} className="field-box" {...rest} />}
    </Field>
  );
}

export function TextArea({ label, hint, error, optional, className, ...rest }: Described & ComponentProps<"textarea">) {
  return (
    <Field label={label} hint={hint} error={error} optional={optional} className={className}>
      {(control) => <textarea rows={4} {...control} className="field-box resize-y" {...rest} />}
    </Field>
  );
}

export function SelectField({
  label,
  hint,
  error,
  optional,
  className,
  ...rest
}: Described & ComponentProps<"select">) {
  return (
    <Field label={label} hint={hint} error={error} optional={optional} className={className}>
      {(control) => <select {...control} className="field-box h-10" {...rest} />}
    </Field>
  );
}

interface CheckProps extends Omit<ComponentProps<"input">, "type"> {
  label: ReactNode;
  hint?: ReactNode;
}

export function CheckField({ label, hint, className, ...rest }: CheckProps) {
  const id = useId();
  return (
    <div className={clsx("flex items-start gap-2.5", className)}>
      <input
        id={id}
        type="checkbox"
        className="mt-1 size-4 shrink-0 accent-accent"
        aria-describedby={`${id}-hint`}
        {...rest}
      />
      <div>
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        <p id={`${id}-hint`} className="text-sm text-muted">
          {hint}
        </p>
      </div>
    </div>
  );
}
