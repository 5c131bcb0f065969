/** Which calls an operator has looked at already: known to all tabs, and still after a reload. */
import type { Box } from "../wire/storage.ts";

const KEPT = 500;

export class Seen {
  constructor(private box: Box) {}

  add(call: string): void {
    const all = this.all();
    if (!all.has(call)) this.box.set("seen", [...all, call].slice(-KEPT).join(" "));
  }

  clear(): void {
    this.box.set("seen", null);
  }

  /** Read from the storage at every call: where many are looked for, ask once. */
  all(): ReadonlySet<string> {
    return new Set((this.box.get("seen") ?? "").split(" ").filter(Boolean));
  }
}
