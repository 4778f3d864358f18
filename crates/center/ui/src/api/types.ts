/** Names for the shapes that the center's OpenAPI document describes. */
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Camera = Schemas["Camera"];
export type Incident = Schemas["Incident"];
export type IncidentDetail = Schemas["IncidentDetail"];
export type IncidentPage = Schemas["IncidentPage"];
export type Roof = Schemas["Roof"];
export type RoofStructure = Schemas["RoofStructure"];
export type Node = Schemas["Node"];
export type Problem = Schemas["Problem"];
export type Stats = Schemas["Stats"];
export type Kind = Schemas["Kind"];
export type Zone = Schemas["CameraZone"];
export type EvidenceRole = Schemas["EvidenceRole"];
export type Status = Schemas["Status"];
export type DismissReason = Schemas["DismissReason"];
export type Verdict = Schemas["VerdictRequest"];
export type FrameHeader = Schemas["FrameHeader"];
export type LiveMessage = Schemas["LiveMessage"];
export type LiveRequest = Schemas["LiveRequest"];
export type Box = [number, number, number, number];
export type Point = [number, number];
