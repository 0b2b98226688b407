/** Personas and skills, as the server describes them. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Persona = Schemas["Persona"];
export type PersonaList = Schemas["Personas"];
export type PersonaBody = Required<Omit<Schemas["PersonaCreate"], "is_active">>;

export type Skill = Schemas["Skill"];
export type SkillList = Schemas["SkillList"];
export type SkillDocument = Schemas["SkillDocument"];
export type SkillFile = Schemas["SkillFileWrite"];
export type SkillBody = Schemas["SkillCreate"];
export type SkillContent = Schemas["SkillContentOut"];
export type SkillVersionList = Schemas["SkillVersionList"];
export type SkillVerdict = Schemas["SkillVerdict"];
export type SkillsImported = Schemas["SkillsImported"];
export type SkillSource = Schemas["SkillSource"];
export type SkillSourceList = Schemas["SkillSourceList"];
export type GitSourceBody = Schemas["GitSourceCreate"];
export type SourceUpdate = Schemas["SourceUpdate"];
export type SyncResult = Schemas["SyncResult"];
export type SkillPattern = Schemas["Pattern"];
export type PatternBody = Required<Schemas["PatternCreate"]>;
export type SkillPatternList = Schemas["PatternList"];
