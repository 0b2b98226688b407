import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { http } from "./http";
import { asProblem, SIGNED_OUT } from "./problem";
import { currentAsking, isSignedOut, watchAsking } from "./session-gate";

const refused = () => Response.json({ code: "not_signed_in", detail: "No." }, { status: 401 });
const answered = () => Response.json({ ok: true });
const server = vi.fn<() => Promise<Response>>();
let leave: () => void = () => undefined;

beforeEach(() => {
  vi.stubGlobal("fetch", server);
  leave = watchAsking(() => undefined);
});

afterEach(() => {
  leave();
  server.mockReset();
  vi.unstubAllGlobals();
});

/** Sends a request whose session has ended, and answers the question that it raises. */
async function ask(request: Promise<unknown>, isSignedIn: boolean): Promise<unknown> {
  await vi.waitFor(() => expect(currentAsking()).not.toBeNull());
  currentAsking()?.answer(isSignedIn);
  return request.catch((error: unknown) => asProblem(error).code);
}

describe("a session that has ended", () => {
  it("sends again what was refused, once somebody has signed in", async () => {
    server.mockResolvedValueOnce(refused()).mockResolvedValueOnce(answered());
    expect(await ask(http.put("/api/skills/1"), true)).toEqual({ ok: true });
    expect(isSignedOut()).toBe(false);
  });

  it("is told in words of its own where signing in is put off, and asked about again by the next save only", async () => {
    server.mockImplementation(() => Promise.resolve(refused()));
    expect(await ask(http.put("/api/skills/1"), false)).toBe(SIGNED_OUT);
    expect(isSignedOut()).toBe(true);
    expect(await http.get("/api/skills").catch((error: unknown) => asProblem(error).code)).toBe(SIGNED_OUT);
    const check = http.post("/api/skills/validate", { isReading: true });
    expect(await check.catch((error: unknown) => asProblem(error).code)).toBe(SIGNED_OUT);
    expect(currentAsking()).toBeNull();
    expect(await ask(http.post("/api/skills"), false)).toBe(SIGNED_OUT);
  });

  it("is back as soon as anything is answered, as after signing in in another tab", async () => {
    server.mockResolvedValueOnce(refused()).mockResolvedValueOnce(answered());
    await ask(http.put("/api/skills/1"), false);
    await http.get("/api/skills");
    expect(isSignedOut()).toBe(false);
  });
});
