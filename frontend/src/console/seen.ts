/** Which calls an operator has looked at already: known to all tabs, and still after a reload. */
import type { Box } from "../wire/storage.ts";

const KEPT = 200;

export class Seen {
  constructor(private box: Box) {}

  has(call: string): boolean {
    return this.all().includes(call);
  }

  add(call: string): void {
    const all = this.all();
    if (!all.includes(call)) this.box.set("seen", [...all, call].slice(-KEPT).join(" "));
  }

  clear(): void {
    this.box.set("seen", null);
  }

  private all(): string[] {
    return (this.box.get("seen") ?? "").split(" ").filter(Boolean);
  }
}
