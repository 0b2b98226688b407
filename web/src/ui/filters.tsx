import { Search } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";

export function FilterBar({ children }: { children: ReactNode }) {
  return (
    <search
      className="flex flex-wrap items-center gap-3 max-sm:[&>select]:min-w-0 max-sm:[&>select]:flex-1 max-sm:[&>select]:basis-2/5"
      aria-label="Filter this list"
    >
      {children}
    </search>
  );
}

interface SearchProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
}

/** A search field that reports a moment after the last key. */
export function SearchBox({ label, value, onChange }: SearchProps) {
  const [text, setText] = useState(value);
  const report = useRef(onChange);
  report.current = onChange;

  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => report.current(text), 200);
    return () => clearTimeout(timer);
  }, [text, value]);

  return (
    <div className="relative w-full sm:w-72">
      <Search aria-hidden className="pointer-events-none absolute top-3 left-3 size-4 text-muted" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="field-box h-10 pl-9 placeholder:text-muted"
      />
    </div>
  );
}

interface StatusProps {
  options: { value: string; label: string }[];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

export function StatusFilter({ options, value, onChange }: StatusProps) {
  return (
    <select
      aria-label="Status"
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
      className="field-box h-10 w-full sm:w-52"
    >
      <option value="">All statuses</option>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

interface PickProps {
  /** What the list shows while nothing is picked, such as "All categories". */
  label: string;
  options: readonly { value: string; label: string }[];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** One value to filter by, or none. */
export function PickFilter({ label, options, value, onChange }: PickProps) {
  return (
    <select
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
      className={`field-box h-10 sm:w-auto sm:max-w-52 ${value ? "border-accent! bg-accent-soft!" : ""}`}
    >
      <option value="">{label}</option>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}
