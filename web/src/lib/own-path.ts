/**
 * The path under which this server's pages lie, empty at the root of its host. The server writes it into the page, so
 * that one build serves under every path.
 */
export const BASE =
  typeof document === "undefined"
    ? ""
    : (document.querySelector<HTMLMetaElement>('meta[name="base-path"]')?.content ?? "");

/** The whole path of an address of this server. */
export function underBase(path: string): string {
  return BASE + path;
}
