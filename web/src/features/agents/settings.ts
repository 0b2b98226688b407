import fields from "virtual:agent-fields";
import type { AgentBody } from "@/client";
import { type Drawn, nested, valueAt } from "@/lib/drawn";

type Configuration = Required<NonNullable<AgentBody["configuration"]>>;
type Limits = Required<Configuration["resource_limits"]>;

/** An emptied number is null until it is filled. */
type Edited<Value> = Value extends number ? number | null : Value;

/** The settings that the form draws from the server's schema, by where they stand in the body. */
export type Settings = {
  [Name in keyof Omit<Configuration, "tools" | "resource_limits"> as `configuration.${Name}`]: Edited<
    Configuration[Name]
  >;
} & { [Name in keyof Limits as `configuration.resource_limits.${Name}`]: Edited<Limits[Name]> };

export const SETTINGS: readonly Drawn[] = fields.filter(({ path }) => path.startsWith("configuration."));

const collected = (read: (field: Drawn) => unknown) =>
  Object.fromEntries(SETTINGS.map((field) => [field.path, read(field)])) as unknown as Settings;

/** Every setting as a new agent has it. */
export const INITIAL: Settings = collected(({ initial }) => initial);

/** The settings of a stored agent. */
export const settingsOf = (agent: object): Settings => collected(({ path }) => valueAt(agent, path));

/** The settings as the server takes them. */
export function configurationOf(draft: Settings): NonNullable<AgentBody["configuration"]> {
  const values = SETTINGS.map(({ path }) => [path, draft[path as keyof Settings]] as const);
  return nested(new Map(values)).configuration as NonNullable<AgentBody["configuration"]>;
}

/** What the server says of a field, by its place in the body. */
export const fieldAt = (path: string): Drawn | undefined => fields.find((field) => field.path === path);

/** The groups of settings in the order of the server, those of skills apart; a setting without a group is work. */
export const groupOf = ({ group }: Drawn): string => group || "Work";
