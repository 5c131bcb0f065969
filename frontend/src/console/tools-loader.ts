/** Fetches the palette, the list of keys and the prepared replies when one of them is asked for: they are no part of a chat. */
import type { Desk } from "./desk.ts";
import { composes, isBare } from "./keys.ts";
import type * as part from "./tools.tsx";

/** Its address beside this script, with its version; the build writes it in. */
declare const TOOLS_FILE: string;

/** Over a line that says nothing for so long, the keys are given back: what is typed is nowhere to be seen. */
export const PATIENCE_MS = 4_000;

export type Tool = "palette" | "keys" | "replies";

export class Tools {
  private part: typeof part | undefined;
  private suffix = "";
  private isLoading = false;

  constructor(private desk: Desk, private notLoaded: () => void) {}

  /** What is typed until the palette is there belongs to it, and not into the message where the focus still is. */
  async open(tool: Tool): Promise<void> {
    if (this.part) return this.part.open(tool, this.desk, "");
    if (this.isLoading) return;
    this.isLoading = true;
    const release = holdKeys(tool === "palette");
    const file = TOOLS_FILE + this.suffix;
    this.suffix += "&"; // a browser asks only once for one name
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((done) => (timer = setTimeout(() => done(undefined), PATIENCE_MS)));
    try {
      this.part = await Promise.race([import(file) as Promise<typeof part>, late]);
    } catch {
      this.part = undefined;
    }
    clearTimeout(timer);
    this.isLoading = false;
    const typed = release();
    if (this.part) this.part.open(tool, this.desk, typed);
    else this.notLoaded();
  }
}

/** Keeps what is typed away from the page; the function that it returns lets go and hands it out. */
function holdKeys(on: boolean): () => string {
  let typed = "";
  const hold = (e: KeyboardEvent) => {
    if (!isBare(e) || composes(e)) return;
    if (e.key === "Backspace") typed = typed.slice(0, -1);
    else if (e.key.length === 1) typed += e.key;
    e.preventDefault();
    e.stopImmediatePropagation();
  };
  if (on) window.addEventListener("keydown", hold, { capture: true });
  return () => {
    window.removeEventListener("keydown", hold, { capture: true });
    return typed;
  };
}
