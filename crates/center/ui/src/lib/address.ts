/** Addresses of cameras as people type them. */

/** A stream that can be taken as it is; otherwise the camera is asked what it has (ONVIF). */
export function isStream(address: string): boolean {
  return /^(rtsps?|rtmps?|srt):\/\/[^\s/]/i.test(address.trim());
}

/** Takes user and password out of an address, so that they go where passwords are kept. */
export function withoutCredentials(address: string): { address: string; username: string | null; password: string | null } {
  const trimmed = address.trim();
  const [, scheme, user, password, rest] = /^([a-z]+:\/\/)([^/@:]*)(?::([^/]*))?@(.*)$/i.exec(trimmed) ?? [];
  if (scheme === undefined || rest === undefined) return { address: trimmed, username: null, password: null };
  return { address: scheme + rest, username: decoded(user), password: decoded(password) };
}

function decoded(text: string | undefined): string | null {
  if (!text) return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A host, with or without port, or the address of a device's service or stream. */
export function isAddress(address: string): boolean {
  return isStream(address) || /^(https?:\/\/)?(\[[\da-f:.]+\]|[\p{L}\d._-]+)(:\d+)?(\/\S*)?$/iu.test(address.trim());
}

/** A name for the file out of what people call the camera, or out of its address. */
export function nameFrom(title: string, address: string): string {
  const slug = (text: string) => text.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");
  const host = /^(?:[a-z]+:\/\/)?(?:[^@/]*@)?\[?([^/\]]+?)(?:\]|:\d+)?(?:\/|$)/i.exec(address.trim())?.[1] ?? "";
  return slug(title) || (host ? `camera-${slug(host)}` : "camera");
}
