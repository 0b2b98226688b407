import { authHeaders } from "./auth";
import { underBase } from "./own-path";
import { Problem, signedOut, unreachable } from "./problem";
import { isSignedOut, noteSignedIn, signedInAgain } from "./session-gate";

type QueryValue = string | number | boolean | null | undefined;

export interface RequestOptions {
  /** The workspace the request is about; absent only before one is chosen. */
  workspace?: string | undefined;
  query?: Record<string, QueryValue>;
  /** A file is sent as it is, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Whether the page asks this by itself and changes nothing by it, as every GET does. */
  isReading?: boolean;
}

/** An answer together with the ETag that a later save must send back. */
export interface Tagged<T> {
  data: T;
  etag: string | null;
}

/** Requests about signing in itself; their refusal is their answer. */
const ENTRANCE = "/api/auth/";

export function addressOf(path: string, query: Record<string, QueryValue> = {}): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string | number | boolean] => {
    return pair[1] !== null && pair[1] !== undefined && pair[1] !== "";
  });
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return search ? `${path}?${search}` : path;
}

async function send(method: string, path: string, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...(await authHeaders()), ...options.headers };
  if (options.workspace) headers["X-Workspace-ID"] = options.workspace;
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (options.body instanceof Blob) {
    headers["Content-Type"] = options.body.type || "application/octet-stream";
    init.body = options.body;
  } else if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  if (options.signal) init.signal = options.signal;
  try {
    return await fetch(underBase(addressOf(path, options.query)), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => ({}));
  const fields = body !== null && typeof body === "object" ? (body as Record<string, unknown>) : {};
  return new Problem(response.status, fields, response.headers.get("X-Request-ID"));
}

/** Sends one request, again after signing in if the session had ended, and returns the answer as it comes; throws a Problem for anything but success. */
export async function answerOf(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
  const { isReading = method === "GET" } = options;
  const isEntrance = path.startsWith(ENTRANCE);
  let response = await send(method, path, options);
  if (response.status === 401 && !isEntrance && (await signedInAgain(isReading))) {
    response = await send(method, path, options);
  }
  if (response.ok) {
    if (!isEntrance) noteSignedIn();
    return response;
  }
  if (response.status === 401 && !isEntrance && isSignedOut()) throw signedOut(response.headers.get("X-Request-ID"));
  throw await problemOf(response);
}

/** Sends one request and returns its JSON with its ETag; throws a Problem for anything but success. */
export async function exchange<T>(method: string, path: string, options: RequestOptions = {}): Promise<Tagged<T>> {
  const response = await answerOf(method, path, options);
  const data = response.status === 204 ? undefined : await response.json();
  return { data: data as T, etag: response.headers.get("ETag") };
}

async function dataOf<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
  return (await exchange<T>(method, path, options)).data;
}

/** The verbs, typed by what the caller expects to get. */
export const http = {
  get: <T>(path: string, options?: RequestOptions) => dataOf<T>("GET", path, options),
  text: async (path: string, options?: RequestOptions) => (await answerOf("GET", path, options)).text(),
  post: <T>(path: string, options?: RequestOptions) => dataOf<T>("POST", path, options),
  put: <T>(path: string, options?: RequestOptions) => dataOf<T>("PUT", path, options),
  patch: <T>(path: string, options?: RequestOptions) => dataOf<T>("PATCH", path, options),
  delete: <T = void>(path: string, options?: RequestOptions) => dataOf<T>("DELETE", path, options),
};
