/** Credentials, models, settings and the audit log, as the server describes them. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Credential = Schemas["Credential"];
export type CredentialList = Schemas["CredentialList"];
export type CredentialCreate = Schemas["CredentialCreate"];
export type CredentialUpdate = Schemas["CredentialUpdate"];
export type CredentialField = Schemas["CredentialField"];
export type CredentialTest = Schemas["CredentialTest"];
export type CredentialTry = Schemas["CredentialTry"];
export type CredentialType = Schemas["CredentialType"];
export type CredentialTypeList = Schemas["CredentialTypeList"];
export type CredentialAudit = Schemas["CredentialAudit"];
export type CredentialEvent = Schemas["CredentialEvent"];
export type Environment = Schemas["Environment"];

export type Model = Schemas["Model"];
export type ModelList = Schemas["ModelList"];
export type ModelUpdate = Schemas["ModelUpdate"];
export type ModelCreate = Schemas["ModelCreate"];
export type ModelNeeds = Schemas["ModelNeeds"];
export type ModelTrial = Schemas["ModelTrial"];
export type TrialResult = Schemas["TrialResult"];
export type Recommendations = Schemas["RecommendationList"];
export type Provider = Schemas["ModelProvider"];

export type Setting = Schemas["Setting"];
export type SettingList = Schemas["SettingList"];
export type SettingWrite = Schemas["SettingWrite"];
export type KnownSetting = Schemas["KnownSetting"];
export type SettingCatalogue = Schemas["SettingCatalogue"];

export type Session = Schemas["SessionOut"];
export type SessionList = Schemas["SessionList"];
export type Workspace = Schemas["WorkspaceOut"];

export type AuditEntry = Schemas["AuditOut"];
