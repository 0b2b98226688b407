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

export type RecipeInput = Schemas["DeclaredInput"];
export type InputType = RecipeInput["type"];
export type RecipeStep = Schemas["StepOut"];
export type ErrorHandling = RecipeStep["error_handling"];
export type Recipe = Schemas["RecipeOut"];
export type RecipeList = Schemas["RecipeList"];
export type RecipeVersionList = With<
  Schemas["VersionList"],
  { items: With<Schemas["VersionOut"], { definition: Partial<Recipe> }>[] }
>;
export type RecipeBody = Schemas["RecipeUpdate"];
export type RecipeCreate = Schemas["RecipeCreate"];
export type RecipeFile = Schemas["RecipeFile"];
export type AppliedRecipe = Schemas["Applied"];
export type ExecutionStarted = Schemas["Started"];

export type RecipeFault = Schemas["RecipeFault"];
export type Verdict = Schemas["Verdict"];

export type RunStatus = Schemas["ExecutionStatus"];
export type StepStatus = Schemas["StepStatus"];

export type RunError = Schemas["RunError"];
export type RunSummary = Schemas["RunSummary"];
export type RunPage = Schemas["RunPage"];
export type Run = Schemas["RunOut"];
/** What was started: a recipe, a task of one agent, or an agent's own check. */
export type RunKind = Run["kind"];
export type RunEvent = Schemas["RunEvent"];
export type RunEventPage = Schemas["EventPage"];
export type Changed = Schemas["Changed"];
