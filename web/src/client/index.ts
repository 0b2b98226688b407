/**
 * What the server sends and takes, by the names of the product. The shapes come from `schema.d.ts`, which is generated
 * from the server's OpenAPI description; where that says only "some object", the shape is added here.
 */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** Keys of `Known` replace the vaguer ones of the schema. */
type With<Schema, Known> = Omit<Schema, keyof Known> & Known;

export type Role = Schemas["Role"];
export type AuthConfig = Schemas["AuthConfig"];
export type Me = Schemas["Me"];
export type WorkspaceMembership = Schemas["MembershipOut"];
export type Member = Schemas["MemberOut"];
export type MemberList = Schemas["MemberList"];
export type InvitationMade = Schemas["InvitationMade"];
export type ApiKey = Schemas["ApiKeyOut"];
export type ApiKeyMade = Schemas["ApiKeyMade"];
export type ApiKeyList = Schemas["ApiKeyList"];
export type AuditPage = Schemas["AuditPage"];

export type Credential = Schemas["Credential"];
export type CredentialList = Schemas["CredentialList"];
export type CredentialTest = Schemas["CredentialTest"];
export type CredentialCreate = Schemas["CredentialCreate"];

export type Model = Schemas["Model"];
export type ModelList = Schemas["ModelList"];
export type Provider = Schemas["ModelProvider"];
export type ProviderList = Schemas["ModelProviderList"];
export type OfferedModels = Schemas["OfferedModelList"];
export type DefaultModel = Schemas["DefaultModel"];
export type BuiltinTools = Schemas["BuiltinTools"];

export type { Agent, AgentBody, AgentList, AgentStats, BulkResult, ModelConfig } from "./agents";
export type AgentTypes = Schemas["AgentTypes"];

export type InputType = NonNullable<Schemas["InputSpec"]["type"]>;
export type RecipeInput = With<Schemas["InputSpec"], { type: InputType }>;
export type RecipeStep = Schemas["StepOut"];
export type ErrorHandling = RecipeStep["error_handling"];
export type Recipe = With<Schemas["RecipeOut"], { inputs: Record<string, RecipeInput> }>;
export type RecipeList = With<Schemas["RecipeList"], { items: Recipe[] }>;
export type RecipeVersionList = With<
  Schemas["VersionList"],
  { items: With<Schemas["VersionOut"], { definition: Partial<Recipe> }>[] }
>;
export type RecipeBody = Schemas["RecipeUpdate"];
export type RecipeCreate = Schemas["RecipeCreate"];
export type RecipeFile = Schemas["RecipeFile"];
export type AppliedRecipe = With<Schemas["Applied"], { recipe: Recipe }>;
export type ExecutionStarted = Schemas["Started"];

/** One thing wrong with a recipe: the field, and in prompts the place. */
export interface RecipeFault {
  where: string;
  message: string;
  line?: number;
  column?: number;
}

export type Verdict = With<Schemas["Verdict"], { faults: RecipeFault[] }>;

export type RunStatus = Schemas["ExecutionStatus"];
export type StepStatus = Schemas["StepStatus"];

export interface RunError {
  code: string;
  message: string;
  next_step?: string | null;
}

/** What was started: a recipe, a task of one agent, or an agent's own check. */
export type RunKind = "recipe" | "task" | "heartbeat";
/** A run of one agent has no recipe; `recipe_name` is the agent's name then. */
type RunOf = { kind: RunKind; recipe_id: string | null; agent_id: number | null; error: RunError | null };

export type RunSummary = With<Schemas["RunSummary"], RunOf>;
export type RunPage = With<Schemas["RunPage"], { items: RunSummary[] }>;
export type Run = With<Schemas["RunOut"], RunOf>;
export type RunEvent = Schemas["RunEvent"];
export type RunEventPage = Schemas["EventPage"];
export type Changed = Schemas["Changed"];
