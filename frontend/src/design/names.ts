/** Names and texts of strangers, made safe to show. What is stored stays verbatim; only the screen differs. */

// C0 and C1 controls, and everything that reorders or joins what stands beside it: marks, embeddings,
// overrides, isolates, line and paragraph separators, the invisible format characters, the BOM.
const UNRULY = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** One line that cannot reorder its surroundings. "" when nothing visible is left. */
export function displayName(name: string): string {
  return name.replace(UNRULY, " ").replace(/\s+/g, " ").trim();
}

/**
 * A name within a sentence of another direction: between the two marks that isolate it, which `displayName`
 * lets nobody bring along. Only ever shown through `Sentence`. "" stays "".
 */
export function alone(name: string): string {
  const shown = displayName(name);
  return shown && `\u2068${shown}\u2069`;
}

/** One or two letters: of the first and the last word, whole characters only. */
export function initials(name: string): string {
  const words = displayName(name).split(" ").filter((w) => /[\p{L}\p{N}]/u.test(w));
  const first = (w: string | undefined) => (/[\p{L}\p{N}]/u.exec(w ?? "")?.[0] ?? "").toLocaleUpperCase();
  return words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0]) || "·";
}

/** 1 to 6, the same for the same name. */
export function tint(name: string): number {
  let n = 0;
  for (const c of name) n = (n * 31 + c.codePointAt(0)!) >>> 0;
  return (n % 6) + 1;
}

export type Piece = { text: string; href?: string };

/** A text cut into plain pieces and web addresses. Only http and https become links; nothing is markup. */
export function linked(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const m of text.matchAll(/\bhttps?:\/\/[^\s<>"\u2028-\u202e\u2066-\u2069]+/gi)) {
    let found = m[0].replace(/[.,;:!?'*_~\]}]+$/, "");
    if (found.endsWith(")") && !found.includes("(")) found = found.replace(/[).,;:!?]+$/, "");
    const href = webAddress(found);
    if (!href) continue;
    if (m.index > from) pieces.push({ text: text.slice(from, m.index) });
    pieces.push({ text: found, href });
    from = m.index + found.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/**
 * The address as the browser would open it, or null for anything that is not the web's. One with a user in
 * front of its host is null too: it only ever reads like the address of somebody else (D-7).
 */
export function webAddress(text: string): string | null {
  try {
    const url = new URL(text);
    return (url.protocol === "http:" || url.protocol === "https:") && url.hostname && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}
