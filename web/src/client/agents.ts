/** Agents and their heartbeats, as the server describes them. */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** The server's answers always have these; the schema cannot say so of fields with a default. */
interface Whole {
  model_usage_stats: Required<Schemas["AgentUsage"]>;
  performance_metrics: Required<Schemas["AgentPerformance"]>;
}

export type Agent = Omit<Schemas["Agent"], keyof Whole> & Whole;
export type AgentList = Omit<Schemas["Agents"], "items"> & { items: Agent[] };
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
