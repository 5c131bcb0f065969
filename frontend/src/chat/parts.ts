/** Parts of the chat that are fetched when they are needed: by a chat that goes on, by the press of a button, or by a server under a flood. */
import type * as Work from "../wire/work.ts";
import type * as Extras from "./extras.ts";
import type * as Sound from "./sound.ts";
import type * as Survey from "./survey.ts";

/** Their addresses beside this script, with their versions; the build writes them in. */
declare const SOUND_FILE: string;
declare const EXTRAS_FILE: string;
declare const SURVEY_FILE: string;
declare const WORK_FILE: string;

export const sound = part<typeof Sound>(SOUND_FILE);
export const survey = part<typeof Survey>(SURVEY_FILE);
export const work = part<typeof Work>(WORK_FILE);
const extras = part<typeof Extras>(EXTRAS_FILE);

let awaited = false;

/** Has a part do what was pressed, once: a second press while it comes would undo the first. Where it cannot be fetched nothing happens; the next press asks again. */
export function later(e: { currentTarget: HTMLElement }, act: (part: typeof Extras, button: HTMLElement) => void): void {
  const button = e.currentTarget; // gone from the event by then
  if (awaited) return;
  awaited = true;
  const done = () => (awaited = false);
  extras().then((part) => act(part, button), done).then(done);
}

/** Rejects where the file cannot be had. A browser asks only once for one name, so each try has another. */
function part<T>(file: string): () => Promise<T> {
  let had: T | undefined;
  return async () => {
    const name = file;
    file += "&";
    return (had ??= (await import(name)) as T);
  };
}
