import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { parse } from "yaml";

const server = process.env.AUTOMATOS_URL ?? "http://127.0.0.1:8000";

/** Turns the sample recipes into plain data at build time, so that no YAML reader is shipped. */
const recipeFiles: Plugin = {
  name: "recipe-files",
  transform(text, id) {
    return id.endsWith(".yaml") ? { code: `export default ${JSON.stringify(parse(text))}`, map: null } : null;
  },
};

/** Gives the app the list of the run events that the server describes, which types alone cannot. */
const runEventTypes: Plugin = {
  name: "run-event-types",
  resolveId: (id) => (id === "virtual:run-event-types" ? `\0${id}` : null),
  async load(id) {
    if (id !== "\0virtual:run-event-types") return null;
    const description = JSON.parse(await readFile(new URL("./openapi.json", import.meta.url), "utf8"));
    return `export default ${JSON.stringify(Object.keys(description.components.schemas.RunEvent.discriminator.mapping))}`;
  },
};

export default defineConfig({
  base: "./", // the server writes the path it lies under into the page
  plugins: [recipeFiles, runEventTypes, react(), tailwind()],
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
