import { type ReactNode, useState } from "react";
import { CheckField } from "./field";

export interface CheckItem<Value> {
  value: Value;
  label: ReactNode;
  hint?: ReactNode;
  /** Cannot be ticked now; what is ticked already can be unticked. */
  isOff?: boolean;
  /** What a search looks at. */
  words: string;
}

interface ChecklistProps<Value> {
  label: string;
  items: readonly CheckItem<Value>[];
  value: readonly Value[];
  onChange: (value: Value[]) => void;
}

const MANY = 10;

/** Several of many; long lists can be searched, and what is ticked stays in sight. */
export function Checklist<Value extends string | number>({ label, items, value, onChange }: ChecklistProps<Value>) {
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const shown = items.filter((item) => value.includes(item.value) || item.words.toLowerCase().includes(wanted));
  const toggle = (one: Value, isOn: boolean) => onChange(isOn ? [...value, one] : value.filter((it) => it !== one));

  return (
    <fieldset className="grid min-w-0 gap-4">
      <legend className="sr-only">{label}</legend>
      {items.length > MANY && (
        <input
          type="search"
          aria-label={`Search: ${label}`}
          placeholder="Search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          // Enter must not send the form around the list.
          onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
          className="field-box h-10 max-w-sm placeholder:text-muted"
        />
      )}
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2">
        {shown.map((item) => (
          <CheckField
            key={item.value}
            label={item.label}
            hint={item.hint}
            checked={value.includes(item.value)}
            disabled={item.isOff && !value.includes(item.value)}
            onChange={(event) => toggle(item.value, event.target.checked)}
          />
        ))}
      </div>
      {shown.length === 0 && <p className="text-muted">Nothing here matches the search.</p>}
    </fieldset>
  );
}
