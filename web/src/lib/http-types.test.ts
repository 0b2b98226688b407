import { readdirSync, readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { faultsOf, WEB } from "./compiler";

vi.setConfig({ testTimeout: 120_000 }); // compiling takes as long as the machine needs

const RIGHT = `
  import { addressOf, api, dataOf } from "@/lib/http";
  export async function attempt() {
    const run = await dataOf(api("w").GET("/api/runs/{run_id}", { params: { path: { run_id: "r" } } }));
    const runs = await dataOf(api("w").GET("/api/runs", { params: { query: { limit: 3, status: "failed" } } }));
    await dataOf(api("w").POST("/api/agents", { body: { name: "Ada", agent_type: "custom" } }));
    const next: string | null = runs.next_cursor;
    return [run.error?.code, run.steps[0]?.status, next, addressOf("/api/events", { topics: "runs" })];
  }
`;

test("requests as the server describes them compile", () => {
  expect(faultsOf(RIGHT)).toEqual([]);
});

test.each([
  ["a path that is not there", '"/api/runs/{run_id}"', '"/api/runs/{run_id}/mood"'],
  ["a path written out", '"/api/runs/{run_id}"', '"/api/runs/r1"'],
  ["a method that a path does not take", "GET(", "PATCH("],
  ["a part of a path that is missing", 'params: { path: { run_id: "r" } }', "params: {}"],
  ["a part of a path by another name", 'path: { run_id: "r" }', 'path: { execution_id: "r" }'],
  ["a parameter that is not there", "limit: 3", "most: 3"],
  ["a parameter of another kind", "limit: 3", 'limit: "3"'],
  ["a value that a parameter cannot have", 'status: "failed"', 'status: "broken"'],
  ["a field of a body that is not there", 'name: "Ada"', 'name: "Ada", mood: "good"'],
  ["a field of a body that is missing", 'name: "Ada", ', ""],
  ["a body that is missing", '{ body: { name: "Ada", agent_type: "custom" } }', "{}"],
  ["a field of an answer that is not there", "runs.next_cursor", "runs.next_page"],
  ["a field of an answer read as another kind", "next: string | null", "next: number"],
  ["a field of a part of an answer that is not there", "error?.code", "error?.reason"],
  ["an answer that may be null read as if it never was", "run.error?.code", "run.error.code"],
  ["an address that is not there", '"/api/events"', '"/api/event"'],
  ["an address without what it needs", '{ topics: "runs" }', "{}"],
])("%s does not compile", (_, right, wrong) => {
  expect(RIGHT).toContain(right);
  expect(faultsOf(RIGHT.replace(right, wrong))).not.toEqual([]);
});

test("nothing but the typed client and what it gives addresses to speaks to the server", () => {
  const files = readdirSync(`${WEB}src`, { recursive: true, encoding: "utf8" });
  const sources = files.filter((name) => /\.tsx?$/.test(name) && !/\.test\.|^client\//.test(name));
  const speaking = (what: RegExp) => sources.filter((name) => what.test(readFileSync(`${WEB}src/${name}`, "utf8")));
  const loadsItself = "lib/lazy-page.ts"; // the files of the app, not the server's routes
  const fetching = speaking(/(?<![.\w])fetch\(|XMLHttpRequest|sendBeacon|createClient/);
  expect(fetching.filter((name) => name !== loadsItself)).toEqual(["lib/http.ts"]);
  expect(speaking(/new EventSource/)).toEqual(["lib/live/stream.ts"]);
  expect(speaking(/[`"']\/(api|health)\b[^"']*\$\{/)).toEqual([]);
  const judgesTexts = "ui/text/address.ts"; // names a path in a remark
  const calls = /\.(GET|POST|PUT|PATCH|DELETE)\(\s*|(addressOf|wordOf)\(\s*/;
  const loose = sources.filter((name) => {
    const text = readFileSync(`${WEB}src/${name}`, "utf8");
    return [...text.matchAll(/[`"']\/api\//g)].some((found) => !calls.test(text.slice(found.index - 24, found.index)));
  });
  expect(loose.filter((name) => name !== judgesTexts)).toEqual(["lib/http.ts"]);
});
