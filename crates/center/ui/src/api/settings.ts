/** Calls about what an administrator sets: catalogue, departments and settings. */
import { call, change } from "./client";
import type { CenterSettings, Department, Kind } from "./types";

export const settings = {
  read: () => call<CenterSettings>("/api/settings"),
  write: <Part extends keyof CenterSettings>(part: Part, value: CenterSettings[Part]) => change<unknown>("PUT", `/api/settings/${part}`, value),
  putKind: ({ code, ...rest }: Kind) => change<unknown>("PUT", `/api/kinds/${encodeURIComponent(code)}`, rest),
  putDepartment: ({ id, ...rest }: Department) => change<unknown>("PUT", `/api/departments/${encodeURIComponent(id)}`, rest),
};
