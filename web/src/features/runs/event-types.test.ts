import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 120_000 }); // compiling takes as long as the machine needs

const WEB = fileURLToPath(new URL("../../../", import.meta.url));
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(`${WEB}tsconfig.json`, ts.sys.readFile).config,
  ts.sys,
  WEB,
);
const parsed = new Map<string, ts.SourceFile | undefined>();
const KITCHEN = `${WEB}src/features/runs/kitchen.ts`;

/** What the compiler says of a file that holds this text, beside all others as they are. */
function faultsOf(text: string, name = `${WEB}src/features/runs/attempt.ts`): string[] {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === name || fileExists(path);
  host.getSourceFile = (path, version) => {
    if (path === name) return ts.createSourceFile(path, text, version);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, version));
    return parsed.get(path);
  };
  const program = ts.createProgram([name, `${WEB}src/client/virtual.d.ts`], options, host);
  const source = program.getSourceFile(name);
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return found.map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"));
}

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
