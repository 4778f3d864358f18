/** Calls about people: signing in and out, users, tokens, and what is on record of them. */
import { call, change, queryOf } from "./client";
import type { AuditPage, Grant, Ledger, NewUser, Session, SignIn, Token, User, UserChange } from "./types";

export interface AuditFilter {
  actor?: string;
  action?: string;
  subject_kind?: string;
  subject_id?: string;
  from?: string;
  to?: string;
}

export const people = {
  ways: () => call<SignIn>("/api/sign-in"),
  session: () => call<Session>("/api/session"),
  signIn: (name: string, password: string) => change<Session>("POST", "/api/session", { name, password }),
  signOut: () => change<void>("DELETE", "/api/session"),
  changePassword: (old: string, fresh: string) => change<void>("POST", "/api/session/password", { old, new: fresh }),

  users: () => call<User[]>("/api/users"),
  addUser: (user: NewUser) => change<User>("POST", "/api/users", user),
  changeUser: (name: string, to: UserChange) => change<User>("PUT", `/api/users/${encodeURIComponent(name)}`, to),
  tokens: () => call<Token[]>("/api/tokens"),
  addToken: (token: { name: string; grants: Grant[]; expires_at?: string }) => change<{ id: string; secret: string }>("POST", "/api/tokens", token),
  removeToken: (id: string) => change<void>("DELETE", `/api/tokens/${id}`),

  audit: (filter: AuditFilter, before?: string | number, limit = 100) => call<AuditPage>(`/api/audit?${queryOf({ ...filter, before, limit })}`),
  ledger: () => call<Ledger>("/api/ledger"),
};

/** Where the sign-in of the organisation begins. */
export const OIDC_URL = "/api/session/oidc";
