/** The lists that change seldom: sites, departments and kinds, with their names in the reader's language. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { cases } from "../api/cases";
import type { Department, Kind, Site } from "../api/types";
import type { Translate } from "../i18n";
import { learnKinds } from "../lib/kinds";

const MINUTE = 60_000;
const NO_SITES: Site[] = [];
const NO_DEPARTMENTS: Department[] = [];
const NO_KINDS: Kind[] = [];

export function useSites(): Site[] {
  return useQuery({ queryKey: ["sites"], queryFn: cases.sites, staleTime: MINUTE }).data ?? NO_SITES;
}

export function useDepartments(): Department[] {
  return useQuery({ queryKey: ["departments"], queryFn: cases.departments, staleTime: MINUTE }).data ?? NO_DEPARTMENTS;
}

export function useKinds(): Kind[] {
  const query = useQuery({
    queryKey: ["kinds"],
    queryFn: async () => {
      const kinds = await api.kinds();
      learnKinds(kinds);
      return kinds;
    },
    staleTime: Infinity,
  });
  return query.data ?? NO_KINDS;
}

/** A name in the reader's language, or in the other one, or the id. */
export function nameOf(named: { name_zh: string | null; name_en: string | null } | undefined, t: Translate, id: string): string {
  const [first, second] = t.language === "en" ? [named?.name_en, named?.name_zh] : [named?.name_zh, named?.name_en];
  return first ?? second ?? id;
}

export function siteName(sites: Site[], id: string, t: Translate): string {
  return nameOf(sites.find((site) => site.site === id), t, id);
}

export function departmentName(departments: Department[], id: string, t: Translate): string {
  return nameOf(departments.find((department) => department.id === id), t, id);
}
