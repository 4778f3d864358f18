/** Times, durations, shares and sizes as people read them. */
import type { Translate } from "../i18n";

/** A length of time with its two largest units; what is negative (clocks differ) counts as nothing. */
export function duration(milliseconds: number, t: Translate): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 60) return t("time.s", { s: seconds });
  if (minutes < 60) return t("time.ms", { m: minutes, s: seconds % 60 });
  if (hours < 24) return t("time.hm", { h: hours, m: minutes % 60 });
  return t("time.dh", { d: Math.floor(hours / 24), h: hours % 24 });
}

export function between(from: string, to: string | number, t: Translate): string {
  return duration((typeof to === "number" ? to : Date.parse(to)) - Date.parse(from), t);
}

const clocks = new Map<string, Intl.DateTimeFormat>();
function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let found = clocks.get(key);
  if (!found) clocks.set(key, (found = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { hourCycle: "h23", ...options })));
  return found;
}

const HOURS: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

/** The time of day; on another day the date and no seconds, which is as short. */
export function clock(instant: string | number, now: number, language: string, timeZone?: string): string {
  const at = new Date(instant);
  const zone = timeZone ? { timeZone } : {};
  const day = format(language, { year: "numeric", month: "2-digit", day: "2-digit", ...zone });
  const today = day.format(at) === day.format(now);
  return format(language, today ? { ...HOURS, ...zone } : { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", ...zone }).format(at);
}

/** Date and time in full, for the record. */
export function fullTime(instant: string | number, language: string, timeZone?: string): string {
  const zone = timeZone ? { timeZone } : {};
  return format(language, { year: "numeric", month: "2-digit", day: "2-digit", ...HOURS, ...zone }).format(new Date(instant));
}

/** The date alone. */
export function day(instant: string | number, language: string): string {
  return format(language, { year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(instant));
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
