import type { KnownSetting, Setting } from "@/client/system";

/** In the name of a setting this stands for any provider. */
const ONE_PER_PROVIDER = "{provider}";

export type Scope = Setting["scope"];

/** One setting as a row of the page: what it may hold, and what is set. */
export interface Row {
  known: KnownSetting;
  /** The name it is stored by; that of a provider's own setting names the provider. */
  key: string;
  label: string;
  stored: Setting | undefined;
}

/** The rows of one category; a setting that there is once per provider has a row for each that is set. */
export function rowsOf(catalogue: readonly KnownSetting[], stored: readonly Setting[], category: string): Row[] {
  const own = stored.filter((one) => one.category === category);
  return catalogue
    .filter((known) => known.category === category)
    .flatMap((known) => {
      if (!isPerProvider(known)) {
        return [{ known, key: known.key, label: labelOf(known.key), stored: own.find((one) => one.key === known.key) }];
      }
      const before = known.key.replace(ONE_PER_PROVIDER, "");
      return own
        .filter((one) => one.key.startsWith(before) && one.key.length > before.length)
        .map((one) => ({ known, key: one.key, label: labelOf(one.key), stored: one }));
    });
}

export const isPerProvider = (known: KnownSetting): boolean => known.key.includes(ONE_PER_PROVIDER);

export const keyFor = (known: KnownSetting, provider: string): string => known.key.replace(ONE_PER_PROVIDER, provider);

const ACRONYMS = new Set(["llm", "rag", "nl2sql"]);

/** What people call the settings whose names in the API say little. */
const LABELS: Record<string, string> = {
  orchestrator_llm: "Default model behaviour",
  codegraph: "Reading source code",
  document_processing: "Reading documents",
  rag: "Answering from documents",
  embeddings: "Text as vectors",
  memory_integration: "Memory",
  nl2sql: "Questions to SQL",
  max_tokens: "Longest answer, in tokens",
  kept_days: "Days that ended runs are kept",
};

/** "fallback_model" as "Fallback model". */
export function labelOf(key: string): string {
  const given = LABELS[key];
  if (given) return given;
  const words = key
    .replace(/^llm_/, "")
    .replace(`_${ONE_PER_PROVIDER}`, "")
    .split("_")
    .map((word) => (ACRONYMS.has(word) ? word.toUpperCase() : word))
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A stored value as it is typed; nothing stored is an empty field. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

type Parsed = { value: Setting["value"]; fault?: undefined } | { value?: undefined; fault: string };

/** What was typed as the value the setting holds, or what is wrong with it; empty is null: not set. */
export function parse(known: KnownSetting, typed: string): Parsed {
  const text = typed.trim();
  if (text === "") return { value: null };
  switch (known.value_type) {
    case "string":
      return { value: text };
    case "boolean":
      return { value: text === "true" };
    case "number":
      return numberOf(known, text);
    case "json":
      return jsonOf(text);
  }
}

function numberOf({ minimum, maximum }: KnownSetting, text: string): Parsed {
  const value = Number(text);
  if (Number.isNaN(value)) return { fault: "Must be a number." };
  if (minimum !== null && value < minimum) return { fault: `Must be at least ${minimum}.` };
  if (maximum !== null && value > maximum) return { fault: `Must be at most ${maximum}.` };
  return { value };
}

function jsonOf(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { fault: "Must be valid JSON." };
  }
}

/** Where the value that holds comes from, in words. */
export function sourceOf({ stored, known }: Row): string {
  if (stored) return stored.scope === "workspace" ? "Set for this workspace." : "Set for the whole server.";
  return known.default === null ? "Not set." : `By default ${textOf(known.default)}.`;
}
