/** Calls of the center's REST API. */
import type { Camera, Incident, IncidentDetail, IncidentPage, Kind, Node, Problem, Roof, Stats, Verdict } from "./types";

/** A refusal of the center, as it explained it (RFC 9457), or the lack of any answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | null,
    message: string,
    /** How long to wait before another attempt, in seconds, where the center said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  /** What happened, in the reader's language. */
  text(language: "zh-CN" | "en"): string {
    return this.problem?.messages[language] ?? this.problem?.detail ?? this.message;
  }
}

/** Whether the center said that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** What went wrong, whatever it was, in the reader's language. */
export function errorText(error: unknown, language: "zh-CN" | "en"): string {
  if (error instanceof ApiError) return error.text(language);
  return error instanceof Error ? error.message : String(error);
}

/** What a session adds to each change, and who is told when there is none (any more). */
export const caller: { csrf: string | null; signedOut(): void } = { csrf: null, signedOut: () => {} };

export async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const headers = new Headers({ accept: "application/json", ...(init?.headers as Record<string, string> | undefined) });
  if (caller.csrf !== null && init?.method && init.method !== "GET") headers.set("x-parapet-csrf", caller.csrf);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    throw new ApiError(0, null, error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) {
    const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
    const problem = isProblem ? ((await response.json()) as Problem) : null;
    if (response.status === 401 && problem?.code !== "sign_in_failed") caller.signedOut();
    const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
    throw new ApiError(response.status, problem, `HTTP ${response.status}`, Number.isFinite(wait) ? wait : null);
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** A change with a JSON body. */
export function change<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  return call<T>(path, body === undefined ? { method } : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

/** What a list of incidents is narrowed to. */
export interface IncidentFilter {
  site?: string;
  status?: string;
  kind?: string;
  camera?: string;
  zone?: string;
  open?: boolean;
  from?: string;
  to?: string;
  text?: string;
}

/** A query string of all that is set. */
export function queryOf(values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  return query.toString();
}

export function incidentQuery(filter: IncidentFilter, cursor?: string, limit = 50): string {
  return queryOf({ ...filter, cursor, limit });
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
  verdict: (id: string, verdict: Verdict) => change<Incident>("POST", `/api/incidents/${id}/verdict`, verdict),
};

/** Address of a file of evidence. */
export function evidenceUrl(id: string, role: string): string {
  return `/api/incidents/${id}/evidence/${role}`;
}

/** Address of a small picture of an incident. */
export function thumbnailUrl(id: string): string {
  return `/api/incidents/${id}/thumbnail.jpg`;
}
