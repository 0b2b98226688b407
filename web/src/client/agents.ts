/** Agents and their heartbeats, as the server describes them. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Agent = Schemas["Agent"];
export type AgentList = Schemas["Agents"];
export type AgentBody = Schemas["AgentCreate"];
export type AgentStats = Schemas["AgentStats"];
export type ModelConfig = Schemas["ModelSettings"];

/** What became of each agent of a bulk action; one that failed says why. */
export type BulkResult = Schemas["ActionResults"];

export type Watched = Schemas["Watch"];
export type HeartbeatConfig = Schemas["HeartbeatConfig"];
export type HeartbeatBody = Schemas["HeartbeatSettings"];
export type HeartbeatResult = Schemas["HeartbeatResult"];

/** Whether an agent in this status takes work. */
export const takesWork = (status: string): boolean => status === "active" || status === "idle";
