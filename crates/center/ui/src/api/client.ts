/** Calls of the center's REST API. */
import type { Camera, Incident, IncidentDetail, IncidentPage, Kind, Node, Problem, Roof, Stats, Verdict } from "./types";

/** A refusal of the center, as it explained it (RFC 9457), or the lack of any answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | null,
    message: string,
  ) {
    super(message);
  }

  /** What happened, in the reader's language. */
  text(language: "zh-CN" | "en"): string {
    return this.problem?.messages[language] ?? this.problem?.detail ?? this.message;
  }
}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { accept: "application/json", ...init?.headers } });
  } catch (error) {
    throw new ApiError(0, null, error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) {
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
    const problem = isProblem ? ((await response.json()) as Problem) : null;
    throw new ApiError(response.status, problem, `HTTP ${response.status}`);
  }
  return (await response.json()) as T;
}

/** What a list of incidents is narrowed to. */
export interface IncidentFilter {
  status?: string;
  kind?: string;
  camera?: string;
  open?: boolean;
}

export function incidentQuery(filter: IncidentFilter, cursor?: string, limit = 50): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== undefined && value !== "") query.set(name, String(value));
  if (cursor) query.set("cursor", cursor);
  query.set("limit", String(limit));
  return query.toString();
}

export const api = {
  cameras: () => call<Camera[]>("/api/cameras"),
  nodes: () => call<Node[]>("/api/nodes"),
  roofs: () => call<Roof[]>("/api/roofs"),
  kinds: () => call<Kind[]>("/api/kinds"),
  stats: () => call<Stats>("/api/stats"),
  incidents: (filter: IncidentFilter, cursor?: string, limit?: number) =>
    call<IncidentPage>(`/api/incidents?${incidentQuery(filter, cursor, limit)}`),
  incident: (id: string) => call<IncidentDetail>(`/api/incidents/${id}`),
  verdict: (id: string, verdict: Verdict) =>
    call<Incident>(`/api/incidents/${id}/verdict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(verdict),
    }),
};

/** Address of a file of evidence. */
export function evidenceUrl(id: string, role: string): string {
  return `/api/incidents/${id}/evidence/${role}`;
}

/** Address of a small picture of an incident. */
export function thumbnailUrl(id: string): string {
  return `/api/incidents/${id}/thumbnail.jpg`;
}
