import type { RecipeFile, RecipeInput } from "@/client";

const files = import.meta.glob<{ default: RecipeFile }>("../../../../examples/recipes/*.yaml");

/** The sample recipes that come with this version, by name; read when asked for. */
export async function loadSamples(): Promise<RecipeFile[]> {
  const loaded = await Promise.all(Object.values(files).map((load) => load()));
  return loaded.map((module) => module.default);
}

/** A sample's inputs with everything that its file leaves to the defaults. */
export function declaredInputs(sample: RecipeFile): Record<string, RecipeInput> {
  const entries = Object.entries(sample.recipe.inputs ?? {});
  return Object.fromEntries(
    entries.map(([name, input]) => [
      name,
      { type: "string", required: false, description: "", default: null, ...input },
    ]),
  );
}
