/** Prepared replies in a text: where a slash asks for one, which fit, and what is put in its place. Pure. */
import { displayName } from "../design/names.ts";
import type { CannedReplyView } from "../wire/protocol.ts";
import { plain, ranked } from "./fuzzy.ts";
import type { Chat } from "./state.ts";

/** A slash at the beginning of a word, and what stands between it and the caret. */
export interface Slash {
  readonly from: number;
  readonly query: string;
}

export const SHOWN_MAX = 50;

export function slashAt(text: string, caret: number): Slash | null {
  const found = /(?:^|\s)\/([^\s/]*)$/.exec(text.slice(0, caret));
  return found ? { from: caret - found[1]!.length - 1, query: found[1]! } : null;
}

/** `//` at the beginning of a word means one slash that asks for nothing: where it stands, or -1. */
export function doubledAt(text: string, caret: number): number {
  return /(?:^|\s)\/\/$/.test(text.slice(0, caret)) ? caret - 2 : -1;
}

/** The best first: by their shortcut, else by a word that they say. */
export function matching(replies: readonly CannedReplyView[], query: string): CannedReplyView[] {
  const named = ranked(replies, query, (r) => r.shortcut);
  const words = plain(query);
  const said = words.length > 1 ? replies.filter((r) => !named.includes(r) && ` ${plain(r.text)}`.includes(` ${words}`)) : [];
  return [...named, ...said].slice(0, SHOWN_MAX);
}

/** What is filled in for what stands in braces. */
export interface Facts {
  readonly visitor_name: string;
  readonly operator_name: string;
  readonly site: string;
}

export function factsOf(chat: Chat, operatorName: string): Facts {
  return { visitor_name: displayName(chat.visitor.name ?? ""), operator_name: displayName(operatorName), site: displayName(chat.site) };
}

/**
 * The text as it is to be read. In one go, so that a name with braces in it stays a name; of a fact that is not
 * known the blank before it goes too: "Hello {visitor_name}," is "Hello,".
 */
export function filled(text: string, facts: Facts): string {
  return text.replace(/( ?)\{(visitor_name|operator_name|site)\}/g, (_, blank: string, name: keyof Facts) => (facts[name] ? blank + facts[name] : ""));
}
