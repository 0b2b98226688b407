/** How a text is best read: as Markdown, or as what a program wrote, in a font of even width. */
export type TextKind = "markdown" | "json" | "diff";

const DIFF = /^(?:diff --git |Index: |--- \S.*\n\+\+\+ \S)/m;
const HUNK = /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@/m;

function isJson(text: string): boolean {
  const start = text.trimStart()[0];
  if (start !== "{" && start !== "[") return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Only a text that is wholly of a kind counts: a sentence with a diff below it is Markdown. */
export function kindOfText(text: string): TextKind {
  if (isJson(text)) return "json";
  const start = text.trimStart();
  return HUNK.test(start) && start.search(DIFF) === 0 ? "diff" : "markdown";
}

/** JSON with one value a line; anything else as it is. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
