import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { parse } from "yaml";
import { drawnOf, type Schema as FieldSchema } from "./src/lib/drawn.ts";

const server = process.env.AUTOMATOS_URL ?? "http://127.0.0.1:8000";

/** Turns the sample recipes into plain data at build time, so that no YAML reader is shipped. */
const recipeFiles: Plugin = {
  name: "recipe-files",
  transform(text, id) {
    return id.endsWith(".yaml") ? { code: `export default ${JSON.stringify(parse(text))}`, map: null } : null;
  },
};

interface Schema {
  enum?: string[];
  anyOf?: Schema[];
  $ref?: string;
}

interface Description {
  paths: Record<string, { get?: { parameters?: { in: string; name: string; schema: Schema }[] } }>;
  components: {
    schemas: Record<string, Schema & FieldSchema> & { RunEvent: { discriminator: { mapping: object } } };
  };
}

/** What can be set of an agent and of the model it uses, as its form draws it. */
const agentFields = ({ components: { schemas } }: Description) => [
  ...drawnOf(schemas, "AgentConfiguration", "configuration"),
  ...drawnOf(schemas, "ModelSettings", "model_config"),
];

/** The words of each parameter of a GET that has a list of them, by path and name. */
function queryWords({ paths, components }: Description) {
  const listed = ({ enum: words, anyOf = [], $ref }: Schema): string[] | undefined =>
    words ?? anyOf.map(listed).find(Boolean) ?? ($ref ? listed(components.schemas[baseOf($ref)] ?? {}) : undefined);
  const baseOf = (ref: string) => ref.slice(ref.lastIndexOf("/") + 1);
  const found: Record<string, Record<string, string[]>> = {};
  for (const [path, { get }] of Object.entries(paths)) {
    for (const one of get?.parameters ?? []) {
      const words = one.in === "query" ? listed(one.schema) : undefined;
      if (words) found[path] = { ...found[path], [one.name]: words };
    }
  }
  return found;
}

/** Gives the app lists that the server describes and that are needed while it runs, which types alone cannot be. */
const serverWords: Plugin = {
  name: "server-words",
  resolveId: (id) => (/^virtual:(run-event-types|query-words|agent-fields)$/.test(id) ? `\0${id}` : null),
  async load(id) {
    if (!id.startsWith("\0virtual:")) return null;
    const description: Description = JSON.parse(await readFile(new URL("./openapi.json", import.meta.url), "utf8"));
    const types = Object.keys(description.components.schemas.RunEvent.discriminator.mapping);
    const given: Record<string, unknown> = {
      "run-event-types": types,
      "query-words": queryWords(description),
      "agent-fields": agentFields(description),
    };
    return `export default ${JSON.stringify(given[id.replace("\0virtual:", "")])}`;
  },
};

export default defineConfig({
  base: "./", // the server writes the path it lies under into the page
  plugins: [recipeFiles, serverWords, react(), tailwind()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/automatos/static",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 450,
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    // The Host header stays the one of the page: the server judges origins by the port that was asked.
    proxy: Object.fromEntries(["/api", "/health"].map((path) => [path, { target: server, changeOrigin: false }])),
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
