/** What the server says about an agent's life: its status, what a change of it would do, its work and its versions. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type AgentStatus = Schemas["AgentStatus"];
export type ShutdownType = Schemas["ShutdownType"];

/** One execution that needs an agent: now, next, or at a step to come. */
export type ActiveWork = Schemas["AffectedWork"];
export type Stopping = Schemas["WaitingStop"];
export type AgentState = Schemas["StatusReport"];
export type Impact = Schemas["Impact"];
export type Shutdown = Schemas["Shutdown"];
export type StatusChange = Schemas["StatusChange"];
export type StatusChanged = Schemas["StatusChanged"];
export type Confirmation = Schemas["Confirmation"];

/** One step of an agent; `error` says why it failed. */
export type AgentRun = Schemas["AgentRun"];
export type AgentRunList = Schemas["AgentRuns"];
export type TaskOrder = Schemas["TaskNew"];
export type TaskStarted = Schemas["TaskStarted"];

export type AgentVersion = Schemas["AgentVersionInfo"];
export type AgentVersionList = Schemas["AgentVersions"];
export type VersionDiff = Schemas["AgentVersionDiff"];

export type PromptPart = Schemas["PromptPart"];
export type AssembledContext = Schemas["AssembledContext"];
