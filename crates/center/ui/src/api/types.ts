/** Names for the shapes that the center's OpenAPI document describes. */
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Camera = Schemas["Camera"];
/** What an incident is in the room: whether its place is muted, who looks at it now, and the case that it is in. */
export type Incident = Schemas["Incident"] & { muted: boolean; claimed_by: string | null; case_id: string | null };
export type IncidentDetail = Omit<Schemas["IncidentDetail"], "incident" | "sightings"> & { incident: Incident; sightings: Incident[] };
export type IncidentPage = Omit<Schemas["IncidentPage"], "incidents"> & { incidents: Incident[] };
export type Roof = Schemas["Roof"];
export type RoofStructure = Schemas["RoofStructure"];
export type Node = Schemas["Node"];
export type Place = Schemas["Place"];
export type Problem = Schemas["Problem"];
export type Stats = Schemas["Stats"];
export type Zone = Schemas["CameraZone"];
export type EvidenceRole = Schemas["EvidenceRole"];
export type Status = Schemas["Status"];
export type DismissReason = Schemas["DismissReason"];
export type Verdict = Schemas["VerdictRequest"];
export type Hold = Schemas["Hold"];
export type NewHold = Schemas["NewHold"];
export type Deletion = Schemas["Deletion"];
export type Deleted = Schemas["Deleted"];
export type FrameHeader = Schemas["FrameHeader"];
export type LiveMessage =
  | Exclude<Schemas["LiveMessage"], { type: "incident" }>
  | { type: "incident"; incident: Incident }
  | { type: "case"; case: Case };
export type LiveRequest = Schemas["LiveRequest"];
export type Box = [number, number, number, number];
export type Point = [number, number];

// People
export const PERMISSIONS = ["see", "see_clear", "unseal", "judge", "file", "dispatch", "answer", "audit", "configure", "manage_users", "delete"] as const;
export type Permission = (typeof PERMISSIONS)[number];
export const ROLES = ["viewer", "operator", "dispatcher", "auditor", "administrator"] as const;
export type Role = (typeof ROLES)[number];
export interface Grant {
  role: Role;
  site: string | null;
  camera: string | null;
}
export interface Session {
  name: string;
  display_name: string;
  grants: Grant[];
  permissions: Permission[];
  csrf: string;
}
/** The ways in. */
export interface SignIn {
  password: boolean;
  oidc: { name: string } | null;
}
export interface User {
  name: string;
  display_name: string;
  enabled: boolean;
  grants: Grant[];
  created_at: string;
  last_seen_at: string | null;
  locked_until: string | null;
}
export interface NewUser {
  name: string;
  display_name: string;
  password?: string;
  grants: Grant[];
}
export type UserChange = Partial<Pick<User, "display_name" | "enabled" | "grants">> & { password?: string };
export interface Token {
  id: string;
  name: string;
  grants: Grant[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}
export interface AuditEntry {
  id: string | number;
  at: string;
  actor: string;
  action: string;
  subject_kind: string;
  subject_id: string;
  detail: unknown;
}
export interface AuditPage {
  entries: AuditEntry[];
  next: string | number | null;
}
export interface Ledger {
  chains: { name: string; length: number; head: string; checkpoint: { at: string; length: number; head: string } | null }[];
  key: string;
}

// Catalogue and settings
export const UNITS = ["working_hours", "working_days", "hours", "days"] as const;
export interface Allowance {
  amount: number;
  unit: string;
}
export interface Kind {
  code: string;
  name_zh: string;
  name_en: string;
  category_code: string | null;
  category_zh: string | null;
  category_en: string | null;
  class_code: string | null;
  basis_zh: string | null;
  basis_en: string | null;
  deadline_amount: number;
  deadline_unit: string;
  enabled: boolean;
}
export const LEVELS = ["grid", "community", "street", "department"] as const;
export interface Department {
  id: string;
  name_zh: string;
  name_en: string;
  level: (typeof LEVELS)[number];
  parent: string | null;
  sites: string[];
  webhook: string | null;
  enabled: boolean;
}
export interface Hours {
  from: string;
  to: string;
}
export interface Calendar {
  zone: string;
  hours: Hours[];
  holidays: string[];
  make_up_days: string[];
}
export interface Steps {
  accept: Allowance;
  dispatch: Allowance;
  /** `null`: as long as the kind allows. */
  handle: Allowance | null;
  check: Allowance;
  warn_percent: number;
}
export interface FilingRule {
  kind: string | null;
  site: string | null;
  camera: string | null;
  zone: string | null;
  min_score: number;
  hours: Hours | null;
  enabled: boolean;
  department: string | null;
}
export interface ScoreFormula {
  base: number;
  per_confirmed: number;
  per_open: number;
  per_late_case: number;
  per_high_severity: number;
  bonus_on_time: number;
  per_households: number | null;
  red_from: number;
  black_below: number;
}
export interface CenterSettings {
  calendar: Calendar;
  steps: Steps;
  filing: FilingRule[];
  scores: ScoreFormula;
  reopen_days: number;
}

// Cases
export const CASE_STEPS = ["reported", "accepted", "dispatched", "handled", "verified", "closed", "rejected", "merged"] as const;
export type CaseStep = (typeof CASE_STEPS)[number];
export const LATENESS = ["on_time", "warning", "overdue"] as const;
export type Lateness = (typeof LATENESS)[number];
export interface Case {
  id: string;
  number: string;
  site: string;
  camera: string | null;
  kind: string;
  step: CaseStep;
  suspended: boolean;
  level: string;
  department: string | null;
  opened_at: string;
  opened_by: string;
  updated_at: string;
  closed_at: string | null;
  step_since: string;
  step_due: string | null;
  due: string | null;
  lateness: Lateness;
  incidents: string[];
  place: Place | null;
  place_text: string | null;
  note: string | null;
  reopened: number;
  merged_into: string | null;
  follows: string | null;
  order: string | null;
}
export interface CaseEvent {
  sequence: number;
  at: string;
  actor: string;
  action: string;
  from: CaseStep | null;
  to: CaseStep;
  reason: string | null;
  department: string | null;
  due: string | null;
  detail: unknown;
}
export interface Order {
  number: string;
  department: string;
  issued_at: string;
  issued_by: string;
  due: string;
  instruction: string | null;
  answered_at: string | null;
}
export interface Answer {
  id: string;
  order: string | null;
  at: string;
  actor: string;
  text: string;
  pictures: { id: string; media_type: string; bytes: number; sha256: string }[];
}
export const CASE_ACTIONS = [
  "accept",
  "reject",
  "dispatch",
  "check_pass",
  "check_fail",
  "close",
  "return",
  "suspend",
  "resume",
  "extend",
  "reopen",
  "merge",
  "escalate",
  "remind",
  "comment",
] as const;
export type CaseActionName = (typeof CASE_ACTIONS)[number];
export interface CaseAction {
  action: CaseActionName;
  reason?: string;
  department?: string;
  allowance?: Allowance;
  into?: string;
  instruction?: string;
}
export interface CaseDetail {
  case: Case;
  incidents: Incident[];
  history: CaseEvent[];
  orders: Order[];
  answers: Answer[];
  related: Case[];
  /** What the caller may do now; besides the named actions `answer`. */
  actions: string[];
  /** Why its evidence stays beyond its end. */
  holds: Hold[];
}
export interface CasePage {
  cases: Case[];
  next: string | null;
  counts: { step: CaseStep; lateness: Lateness; count: number }[];
}
export type NewCase =
  | { incidents: string[]; note?: string }
  | { site: string; kind: string; camera?: string; latitude?: number; longitude?: number; place_text?: string; note: string };

// The room
export interface Review {
  incident: IncidentDetail | null;
  claimed_until: string | null;
  waiting: number;
}
export interface PlaceHistory {
  incidents: Incident[];
  cases: Case[];
}
export interface Mute {
  id: string;
  site: string;
  camera: string;
  kind: string;
  zone: string | null;
  bbox: Box | null;
  until: string;
  reason: string;
  by: string;
  at: string;
}
export interface Site {
  site: string;
  name_zh: string | null;
  name_en: string | null;
  households: number | null;
  nodes: { node: string; online: boolean; cameras: string[] }[];
  plan: boolean;
}
export type ListColour = "red" | "black" | "none";
export interface SiteMonth {
  site: string;
  score: number;
  list: ListColour;
  confirmed: number;
  dismissed: number;
  open: number;
  cases: number;
  late: number;
  on_time: number;
  by_kind: { kind: string; count: number }[];
  by_day: { day: string; count: number }[];
}
export interface MonthReport {
  month: string;
  formula: ScoreFormula;
  sites: SiteMonth[];
}
