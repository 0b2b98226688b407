/**
 * How requests prove who asks. In local mode the session cookie does, and a header shows that our own page sent the
 * request. An identity provider registers a source of bearer tokens instead.
 */
export type TokenSource = () => Promise<string | null>;

let tokenSource: TokenSource | null = null;

/** Has every later request carry a token of this source; null goes back to the cookie. */
export function provideTokens(source: TokenSource | null): void {
  tokenSource = source;
}

/** The headers that authenticate one request. */
export async function authHeaders(): Promise<Record<string, string>> {
  const token = tokenSource ? await tokenSource() : null;
  const sameOrigin = { "X-Requested-With": "automatos" };
  return token ? { ...sameOrigin, Authorization: `Bearer ${token}` } : sameOrigin;
}
