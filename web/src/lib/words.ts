import words from "virtual:query-words";
import type { QueryOf, Reading } from "./http";

/** A text, such as one of an address, as a value that the server knows for this parameter; anything else is left out. */
export function wordOf<Path extends Reading, Name extends keyof QueryOf<Path>>(
  path: Path,
  name: Name,
  text: string | undefined,
): NonNullable<QueryOf<Path>[Name]> | undefined {
  return words[path]?.[name]?.find((word) => String(word) === text);
}
