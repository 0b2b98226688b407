const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST = /^ {0,3}(?:[-*+]|\d{1,9}[.)])\s/;
const INDENTED = /^(?: {2,}|\t)/;

/**
 * Cuts Markdown at blank lines into parts that can be drawn apart, so that only the last is drawn again while text
 * arrives. A fenced block, and a list with all that hangs under it, stay whole.
 */
export function blocksOf(text: string): string[] {
  const blocks: string[][] = [[]];
  let fence: string | null = null;
  let isAfterBlank = false;
  for (const line of text.split("\n")) {
    const block = blocks.at(-1) ?? [];
    const isBlank = line.trim() === "";
    if (fence === null && isAfterBlank && !isBlank && !belongsTo(block, line)) blocks.push([line]);
    else block.push(line);
    if (!isBlank) fence = fenceAfter(line, fence);
    isAfterBlank = isBlank;
  }
  return blocks.map((lines) => lines.join("\n")).filter((block) => block.trim() !== "");
}

/** Whether a line after a blank one still hangs under what a block began with. */
function belongsTo(block: string[], line: string): boolean {
  const first = block.find((one) => one.trim() !== "") ?? "";
  return INDENTED.test(line) || (LIST.test(line) && LIST.test(first));
}

/** The fence that is open after a line: it may open one, or close the one that is open. */
function fenceAfter(line: string, fence: string | null): string | null {
  const mark = FENCE.exec(line)?.[1];
  if (!mark) return fence;
  if (fence === null) return mark;
  return closes(line, mark, fence) ? null : fence;
}

/** A fence is closed by as many of its own marks or more, and nothing behind them. */
function closes(line: string, mark: string, fence: string): boolean {
  return mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark;
}

/** The beginning of a text that is too long to show at once, cut where a part of it ends; null if it is not. */
export function beginningOf(text: string, most: number): string | null {
  if (text.length <= most * 1.25) return null;
  const cut = ["\n\n", "\n", " "].map((end) => text.lastIndexOf(end, most)).find((place) => place > most / 2) ?? most;
  return text.slice(0, cut);
}
