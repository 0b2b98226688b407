import { describe, expect, it } from "vitest";
import type { Model, OfferedModels, Provider } from "@/client";
import { choiceOf, keyOf, modelGroups, typedModels } from "./offered";

const provider = (name: string, configured = true) =>
  ({ name, display_name: name.toUpperCase(), configured }) as Provider;
const model = (by: string, model_id: string) =>
  ({ provider: by, model_id, display_name: `The ${model_id}`, context_window: 128_000 }) as Model;
const listed = (items: string[], problem: string | null = null) => ({ items, problem }) as OfferedModels;

describe("models to choose from", () => {
  const known = {
    providers: [provider("mistral", false), provider("openai"), provider("custom")],
    models: [model("openai", "gpt"), model("mistral", "small")],
    offered: { openai: listed(["gpt", "gpt-new"]), custom: listed(["house/model:latest"]) },
  };

  it("are those of the catalogue and those that the provider lists, each once", () => {
    const labels = modelGroups(known).map((group) => [group.heading, group.options.map((one) => one.label)]);
    expect(labels).toEqual([
      ["OPENAI", ["The gpt", "gpt-new"]],
      ["CUSTOM", ["house/model:latest"]],
      ["MISTRAL (no key yet)", ["The small"]],
    ]);
  });

  it("can be those of one provider, which is there even without any", () => {
    expect(modelGroups(known, "custom")).toHaveLength(1);
    const empty = modelGroups({ ...known, offered: { custom: listed([], "It does not answer.") } }, "custom");
    expect(empty[0]?.options).toEqual([]);
    expect(empty[0]?.note).toContain("It does not answer.");
    expect(modelGroups({ ...known, offered: {} }, "custom")[0]?.note).toContain("Asking");
  });

  it("can be typed for every provider that has a key, or for the one that is looked at", () => {
    const values = (only?: string) => typedModels("gpt-new", known, only).map((one) => choiceOf(one.value)?.provider);
    expect(values()).toEqual(["custom"]);
    expect(values("mistral")).toEqual(["mistral"]);
    expect(values("openai")).toEqual([]);
  });

  it("keep names with slashes, colons and spaces whole", () => {
    const choice = { provider: "custom", model_id: "house/my model:latest" };
    expect(choiceOf(keyOf(choice))).toEqual(choice);
    expect(choiceOf("")).toBeNull();
  });
});
