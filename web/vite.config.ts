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

export default defineConfig({
  base: "./", // the server writes the path it lies under into the page
  plugins: [recipeFiles, react(), tailwind()],
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
