/** List, start and follow a run by the client that hey-api made, which lies beside this as `made`. */
import type { RunEvent } from "./made";
import { executeRecipe, followRun, getRun, listRecipes, listRunEvents, listRuns } from "./made";
import { client } from "./made/client.gen";

const [baseUrl, key] = process.argv.slice(2);
client.setConfig({ baseUrl: baseUrl as `${string}://${string}`, headers: { "X-API-Key": key }, throwOnError: true });

const { data: recipes } = await listRecipes({ throwOnError: true });
const recipe = recipes.items[0];
if (!recipe) throw new Error("no recipe");
const { data: started } = await executeRecipe({
  path: { template_id: recipe.template_id },
  body: {},
  throwOnError: true,
});

const told: RunEvent[] = [];
const { stream } = await followRun({ path: { run_id: started.run_id } });
for await (const event of stream as AsyncIterable<RunEvent>) if (event.seq > 0) told.push(event);
const { data: stored } = await listRunEvents({ path: { run_id: started.run_id }, throwOnError: true });
// What is told as it happens and what is stored may have their fields in another order.
const sorted = (_: string, value: unknown) =>
  value && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => one.localeCompare(other)))
    : value;
if (JSON.stringify(told, sorted) !== JSON.stringify(stored.items, sorted)) throw new Error("the stream tells other events than the log");
const last = told.at(-1);
if (last?.type !== "execution.completed") throw new Error(`the last event is ${last?.type}`);

const { data: run } = await getRun({ path: { run_id: started.run_id }, throwOnError: true });
const { data: runs } = await listRuns({ throwOnError: true });
if (runs.items.map((one) => one.id).join() !== started.run_id) throw new Error("the run is not in the list");
console.log(JSON.stringify({ run: run.id, status: run.status, events: told.length, output: last.data.final_output }));
