/** The keys of `RunEvent` in the server's description, put in when the app is built. */
declare module "virtual:run-event-types" {
  const types: readonly import("./index").RunEvent["type"][];
  export default types;
}

/** What can be set of an agent and of the model it uses, from the schemas of what the server takes, put in likewise. */
declare module "virtual:agent-fields" {
  const fields: readonly import("@/lib/drawn").Drawn[];
  export default fields;
}

/** The values that a parameter of a GET may have where the server's description lists them, put in likewise. */
declare module "virtual:query-words" {
  import type { QueryOf, Reading } from "@/lib/http";

  const words: {
    readonly [Path in Reading]?: {
      readonly [Name in keyof QueryOf<Path>]?: readonly NonNullable<QueryOf<Path>[Name]>[];
    };
  };
  export default words;
}
