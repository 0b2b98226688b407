import { X } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { Field } from "./field";

interface TagsProps {
  label: string;
  value: readonly string[];
  onChange: (tags: string[]) => void;
  hint?: string;
  error?: string | undefined;
}

/** The tags of a text: split at commas, lower-cased, without repeats. */
export function tagsOf(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim().toLowerCase());
  return [...new Set(parts.filter(Boolean))];
}

/** Short words, entered one after the other with Enter or a comma. */
export function TagsField({ label, value, onChange, hint = "Enter or a comma adds one.", error }: TagsProps) {
  const [text, setText] = useState("");

  function add(entered: string) {
    const fresh = tagsOf(entered).filter((tag) => !value.includes(tag));
    if (fresh.length > 0) onChange([...value, ...fresh]);
    setText("");
  }

  function pressed(event: KeyboardEvent) {
    if (event.key === "Enter" && text.trim()) {
      event.preventDefault();
      add(text);
    }
    if (event.key === "Backspace" && text === "" && value.length > 0) onChange(value.slice(0, -1));
  }

  return (
    <Field label={label} hint={hint} error={error} optional>
      {(control) => (
        <div className="field-box flex min-h-10 flex-wrap items-center gap-1.5 py-1.5! focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent has-[input:disabled]:border-line has-[input:disabled]:bg-sunken">
          {value.map((tag) => (
            <span
              key={tag}
              className="flex min-w-0 max-w-full items-center gap-1 rounded-md bg-accent-soft pl-2 text-sm text-accent"
            >
              <span className="min-w-0 wrap-anywhere">{tag}</span>
              <button
                type="button"
                aria-label={`Remove the tag ${tag}`}
                onClick={() => onChange(value.filter((one) => one !== tag))}
                className="grid size-6 shrink-0 place-items-center rounded-md enabled:hover:bg-line disabled:invisible"
              >
                <X aria-hidden className="size-3.5" />
              </button>
            </span>
          ))}
          <input
            {...control}
            value={text}
            maxLength={100}
            onChange={({ target }) => (target.value.includes(",") ? add(target.value) : setText(target.value))}
            onKeyDown={pressed}
            onBlur={() => add(text)}
            className="min-w-24 flex-1 bg-transparent outline-none"
          />
        </div>
      )}
    </Field>
  );
}
