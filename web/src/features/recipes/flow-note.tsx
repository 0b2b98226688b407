import type { Flow } from "./draft";

/** What the form does not edit yet is shown as the recipe's file says it, and kept. */
export function FlowNote({ flow }: { flow: Flow }) {
  const said = Object.entries(flow).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  if (said.length === 0) return null;
  return (
    <p className="text-sm text-muted wrap-anywhere sm:col-span-2">
      <span className="font-mono">{said.join(" · ")}</span> (change it in the recipe’s file)
    </p>
  );
}
