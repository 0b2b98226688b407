/** One thing wrong with one field of a request, as the server reports it. */
export interface FieldError {
  field: string;
  reason: string;
}

/** What went wrong, in the server's words: RFC 9457 problem details, or the nearest we can say without an answer. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly requestId: string | null;
  readonly body: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown>, requestId: string | null) {
    const detail = typeof body.detail === "string" ? body.detail : "";
    super(detail || `The server answered ${status} and gave no reason.`);
    this.status = status;
    this.code = typeof body.code === "string" ? body.code : "unknown";
    this.title = typeof body.title === "string" ? body.title : "The request failed";
    this.requestId = requestId ?? (typeof body.request_id === "string" ? body.request_id : null);
    this.body = body;
  }

  /** The message for one field of the form, if the server named it. */
  forField(name: string): string | undefined {
    return this.fields.find((error) => error.field === name || error.field.startsWith(`${name}.`))?.reason;
  }

  /** Everything the server found wrong with the request, field by field. */
  get fields(): FieldError[] {
    return [...entries(this.body.errors, "field", "reason"), ...entries(this.body.faults, "where", "message")];
  }
}

function entries(listed: unknown, place: string, words: string): FieldError[] {
  if (!Array.isArray(listed)) return [];
  return listed
    .filter((one) => typeof one?.[place] === "string" && typeof one?.[words] === "string")
    .map((one) => ({ field: one[place], reason: one[words] }));
}

/** The server did not answer at all. */
export function unreachable(): Problem {
  const detail = "The server did not answer. Check that it is running (`automatos doctor`) and try again.";
  return new Problem(0, { code: "unreachable", title: "No answer from the server", detail }, null);
}

/** The code of what was not done because the session has ended and nobody has signed in again. */
export const SIGNED_OUT = "signed_out";

/** The session has ended and signing in was put off: nothing was done, and nothing on the page is given up. */
export function signedOut(requestId: string | null): Problem {
  const detail =
    "Your session has ended, so the server refused this. Whatever you typed is still here: sign in again, then repeat it.";
  return new Problem(401, { code: SIGNED_OUT, title: "You are signed out", detail }, requestId);
}

/** Any thrown thing as a Problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem(0, { code: "unexpected", title: "Something went wrong in this page", detail }, null);
}
