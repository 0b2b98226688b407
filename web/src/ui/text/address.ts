const SAFE = new Set(["http:", "https:", "mailto:"]);

/** An address that a stranger's text may link to; null for scripts, files, and addresses of this app itself. */
export function safeAddress(address: string | null | undefined): string | null {
  if (!address) return null;
  try {
    // Without a base, so that "/api/..." and "../" stay what they are: not an address of the text's own.
    const url = new URL(address);
    return SAFE.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
