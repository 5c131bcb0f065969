/**
 * The words of the console. A script is built for each language, with its words in the place of the English
 * ones (build.mjs). Nothing that an operator reads stands anywhere else: words.screens.test.ts looks for it.
 */
import { type Words, words } from "../words/console/en.ts";

export const say: Words = words;

/** What the machine code of a refusal says to an operator: the server's own sentence is for programs. */
export function refusal(code: string): string {
  return (say.failed as Partial<Record<string, string>>)[code] ?? say.refused.other;
}
