import { useId } from "react";
import { RichText } from "@/ui/text/rich-text";

interface Props {
  title: string;
  values: Record<string, unknown>;
  /** Every value is shown with its name, the empty ones too. */
  isWhole?: boolean;
}

const isNothing = (value: unknown) => value === null || value === "" || (Array.isArray(value) && value.length === 0);

/** Named values of a run: what it was given, or what it gave. */
export function Values({ title, values, isWhole = false }: Props) {
  const id = useId();
  const entries = Object.entries(values).filter(([, value]) => isWhole || !isNothing(value));
  if (entries.length === 0) return null;
  return (
    <section aria-labelledby={id} className="card p-4 sm:p-6">
      <h2 id={id} className="mb-3 text-lg font-semibold">
        {title}
      </h2>
      <dl className="grid gap-3">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt className={entries.length === 1 && !isWhole ? "sr-only" : "mb-1 font-mono text-sm text-muted"}>
              {name}
            </dt>
            <dd>
              <Value value={value} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Value({ value }: { value: unknown }) {
  if (value === null || value === "") return <p className="text-muted">It is empty.</p>;
  return <RichText text={typeof value === "string" ? value : JSON.stringify(value)} level={2} />;
}
