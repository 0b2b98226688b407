export interface DiffLine {
  kind: "added" | "removed" | "place" | "same";
  line: string;
}

/** The lines of a unified diff with what each does; the names of files are neither added nor removed. */
export function diffLines(text: string): DiffLine[] {
  return text.split("\n").map((line) => {
    if (/^(\+\+\+|---) |^@@ |^diff |^index /.test(line)) return { kind: "place", line };
    if (line.startsWith("+")) return { kind: "added", line };
    return { kind: line.startsWith("-") ? "removed" : "same", line };
  });
}
