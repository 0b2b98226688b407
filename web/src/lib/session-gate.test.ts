import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api, asReading, dataOf } from "./http";
import { asProblem, SIGNED_OUT } from "./problem";
import { currentAsking, isSignedOut, watchAsking } from "./session-gate";

const refused = () => Response.json({ code: "not_signed_in", detail: "No." }, { status: 401 });
const answered = () => Response.json({ ok: true });
const server = vi.fn<() => Promise<Response>>();
const save = () => dataOf(api().PUT("/api/skills/{skill_id}", { params: { path: { skill_id: 1 } }, body: {} }));
const add = () => dataOf(api().POST("/api/skills", { body: { name: "a", description: "b", content: "c" } }));
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
    expect(await ask(save(), true)).toEqual({ ok: true });
    expect(isSignedOut()).toBe(false);
  });

  it("is told in words of its own where signing in is put off, and asked about again by the next save only", async () => {
    server.mockImplementation(() => Promise.resolve(refused()));
    expect(await ask(save(), false)).toBe(SIGNED_OUT);
    expect(isSignedOut()).toBe(true);
    expect(await dataOf(api().GET("/api/skills")).catch((error: unknown) => asProblem(error).code)).toBe(SIGNED_OUT);
    const check = dataOf(api().POST("/api/skills/validate", { body: { files: [] }, fetch: asReading }));
    expect(await check.catch((error: unknown) => asProblem(error).code)).toBe(SIGNED_OUT);
    expect(currentAsking()).toBeNull();
    expect(await ask(add(), false)).toBe(SIGNED_OUT);
  });

  it("is not back because of an answer to what was asked before signing in was put off", async () => {
    let answer: (response: Response) => void = () => undefined;
    server.mockReturnValueOnce(new Promise((resolve) => (answer = resolve))).mockResolvedValueOnce(refused());
    const early = dataOf(api().GET("/api/skills"));
    await ask(save(), false);
    answer(answered());
    await early;
    expect(isSignedOut()).toBe(true);
  });

  it("is not asked about again for a save that was under way when signing in was put off", async () => {
    let refuse: (response: Response) => void = () => undefined;
    server.mockResolvedValueOnce(refused()).mockReturnValueOnce(new Promise((resolve) => (refuse = resolve)));
    const reading = dataOf(api().GET("/api/skills"));
    const saving = save().catch((error: unknown) => asProblem(error).code);
    await ask(reading, false);
    refuse(refused());
    expect(await saving).toBe(SIGNED_OUT);
    expect(currentAsking()).toBeNull();
  });

  it("is back as soon as anything is answered, as after signing in in another tab", async () => {
    server.mockResolvedValueOnce(refused()).mockResolvedValueOnce(answered());
    await ask(save(), false);
    await dataOf(api().GET("/api/skills"));
    expect(isSignedOut()).toBe(false);
  });
});
