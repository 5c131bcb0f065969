/**
 * The words of the chat frame. A script is built for each language, with its words in the place of the English
 * ones (build.mjs): nobody loads a language that they do not read.
 */
import { type Chat, chat } from "../words/en.ts";

export const t: Chat = chat;

/** What the machine code of a refusal says to a visitor: the server's own sentence is for programs. */
export function refusal(code: string): string | undefined {
  return (t.failed as Partial<Record<string, string>>)[code];
}
