import { fileURLToPath } from "node:url";
import ts from "typescript";

/** For tests of what does not compile; no page imports it. */
export const WEB = fileURLToPath(new URL("../../", import.meta.url));
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(`${WEB}tsconfig.json`, ts.sys.readFile).config,
  ts.sys,
  WEB,
);
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of a file that holds this text, beside all others as they are. */
export function faultsOf(text: string, name = `${WEB}src/features/runs/attempt.ts`): string[] {
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
