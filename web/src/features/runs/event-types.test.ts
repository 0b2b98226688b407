import ts from "typescript";
import { expect, test, vi } from "vitest";
import { faultsOf, WEB } from "@/lib/compiler";

vi.setConfig({ testTimeout: 120_000 }); // compiling takes as long as the machine needs

const KITCHEN = `${WEB}src/features/runs/kitchen.ts`;

const reading = (type: string, field: string) => `
  import type { RunEvent } from "@/client";
  export const read = (event: RunEvent) => (event.type === "${type}" ? event.data.${field} : null);
`;

test("a right type with a field of its own compiles", () => {
  expect(faultsOf(reading("step.cancelled", "error"))).toEqual([]);
});

test("a type of event that the server does not have does not compile", () => {
  expect(faultsOf(reading("step.canceled", "error")).join()).toContain('"step.canceled"');
});

test("a field that an event of the type does not have does not compile", () => {
  expect(faultsOf(reading("step.cancelled", "output"))).toEqual([
    "Property 'output' does not exist on type '{ error: { code: string; message: string; next_step?: string | undefined; } | null; order: number; path?: string | null | undefined; }'.",
  ]);
});

test("a field read as another kind of value does not compile", () => {
  const text = `
    import type { RunEventOf } from "@/lib/live/events";
    export const read = (event: RunEventOf<"step.delta">): number => event.data.text;
  `;
  expect(faultsOf(text)).toEqual(["Type 'string' is not assignable to type 'number'."]);
});

test("a page that forgets a type does not compile", () => {
  const whole = ts.sys.readFile(KITCHEN) ?? "";
  const entry = '  "step.cancelled": endStep("cancelled"),\n';
  expect(whole).toContain(entry);
  expect(faultsOf(whole, KITCHEN)).toEqual([]);
  expect(faultsOf(whole.replace(entry, ""), KITCHEN).join()).toContain("Property '\"step.cancelled\"' is missing");
});
