/**
 * The persistent opaque id of this browser on this site: a first-party cookie of the host page. It links
 * visits for the operator and opens nothing. Made when a chat is first opened, not before.
 */
const MONTHS_13 = 395 * 86_400;

/** The id, or "" where the page keeps no cookies. Lifetime counts from its making and is not renewed. */
export function browserId(doc: Document, site: string): string {
  const name = `chatlead_${site}`;
  const read = () => new RegExp(`(?:^|; )${name}=([0-9a-f]{32})(?:;|$)`).exec(doc.cookie)?.[1] ?? "";
  try {
    const known = read();
    if (known) return known;
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    doc.cookie = `${name}=${id}; Max-Age=${MONTHS_13}; Path=/; SameSite=Lax${secure(doc)}`;
    return read();
  } catch {
    return ""; // cookies are refused: a sandboxed page throws
  }
}

export function forgetBrowser(doc: Document, site: string): void {
  try {
    doc.cookie = `chatlead_${site}=; Max-Age=0; Path=/; SameSite=Lax${secure(doc)}`;
  } catch {
    // there was none
  }
}

function secure(doc: Document): string {
  return doc.location.protocol === "https:" ? "; Secure" : "";
}
