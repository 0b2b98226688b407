import createClient, { type FetchResponse, type MaybeOptionalInit, type ParseAs } from "openapi-fetch";
import type { HttpMethod, MediaType, PathsWithMethod, RequiredKeysOf } from "openapi-typescript-helpers";
import type { paths } from "@/client/schema";
import { authHeaders } from "./auth";
import { underBase } from "./own-path";
import { Problem, signedOut, unreachable } from "./problem";
import { isSignedOut, noteSignedIn, signedInAgain } from "./session-gate";

/** An answer together with the ETag that a later save must send back. */
export interface Tagged<T> {
  data: T;
  etag: string | null;
}

/** What a request came back with: the answer that its route describes, or what went wrong. */
type Sent = { data?: unknown; error?: unknown; response: Response };
type Answer<S extends Sent> = Extract<S, { error?: never }>;

const isAnswer = <S extends Sent>(sent: S): sent is Answer<S> => sent.response.ok;

/** Requests about signing in itself; their refusal is their answer. */
const ENTRANCE = underBase("/api/auth/");
const HOST = typeof location === "undefined" ? "http://localhost" : location.origin;

/** Writes a query as it stands in an address; what is empty is left out. */
function written(query: Record<string, unknown>): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

async function send(request: Request): Promise<Response> {
  for (const [name, value] of Object.entries(await authHeaders())) request.headers.set(name, value);
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
}

/** Sends a request, and again after signing in if the session had ended. */
async function inSession(request: Request, isReading: boolean): Promise<Response> {
  if (new URL(request.url).pathname.startsWith(ENTRANCE)) return send(request);
  const sentAt = performance.now();
  let response = await send(request.clone());
  if (response.status === 401 && (await signedInAgain(isReading, sentAt))) response = await send(request);
  if (response.ok) noteSignedIn(sentAt);
  if (response.status === 401 && isSignedOut()) throw signedOut(response.headers.get("X-Request-ID"));
  return response;
}

/** Sends what the page asks by itself and changes nothing by, as every GET is. */
export const asReading = (request: Request): Promise<Response> => inSession(request, true);

type Init<Path extends keyof paths, Method extends HttpMethod, As> = MaybeOptionalInit<paths[Path], Method> & {
  parseAs?: As;
};

/** One method of every path that takes it. Unlike the library's own type it lets no name pass that a route lacks. */
type Call<Method extends HttpMethod> = <Path extends PathsWithMethod<paths, Method>, As extends ParseAs = "json">(
  path: Path,
  ...init: RequiredKeysOf<MaybeOptionalInit<paths[Path], Method>> extends never
    ? [Init<Path, Method, As>?]
    : [Init<Path, Method, As>]
) => Promise<FetchResponse<Extract<paths[Path][Method], Record<string, unknown>>, { parseAs: As }, MediaType>>;

interface Api {
  GET: Call<"get">;
  POST: Call<"post">;
  PUT: Call<"put">;
  PATCH: Call<"patch">;
  DELETE: Call<"delete">;
}

/** The server's routes for one workspace, or for none before one is chosen; paths, bodies and answers are typed. */
export function api(workspace?: string): Api;
export function api(workspace?: string): object {
  return createClient<paths>({
    baseUrl: HOST + underBase(""),
    fetch: (request) => inSession(request, request.method === "GET"),
    querySerializer: written,
    headers: { Accept: "application/json", "X-Workspace-ID": workspace },
    credentials: "same-origin",
  });
}

/** The answer to a request with its ETag; throws a Problem for anything but success. */
export async function taggedOf<S extends Sent>(sent: Promise<S>): Promise<Tagged<Answer<S>["data"]>> {
  const found = await sent;
  const { headers } = found.response;
  if (isAnswer(found)) return { data: found.data, etag: headers.get("ETag") };
  const fields = typeof found.error === "object" && found.error ? found.error : {};
  throw new Problem(found.response.status, { ...fields }, headers.get("X-Request-ID"));
}

/** The answer to a request; throws a Problem for anything but success. */
export async function dataOf<S extends Sent>(sent: Promise<S>): Promise<Answer<S>["data"]> {
  return (await taggedOf(sent)).data;
}

/** The paths that can be read. */
export type Reading = { [Path in keyof paths]: paths[Path] extends { get: object } ? Path : never }[keyof paths];
/** The parameters of a GET. */
export type QueryOf<Path extends Reading> = paths[Path] extends { get: { parameters: { query?: infer Query } } }
  ? NonNullable<Query>
  : never;

/** The address of a route for what makes no request through `api`, such as an EventSource, which sends no headers. */
export function addressOf<Path extends Reading>(path: Path, query: QueryOf<Path>, workspace?: string): string {
  return underBase(`${path}?${written({ ...query, workspace_id: workspace })}`);
}
