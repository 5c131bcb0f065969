/**
 * Replies that may still be taken back: so long the outbox keeps them, and all that was written after them in
 * the same chat. Nothing of it is stored, so what a reload finds in the outbox goes out at once.
 */
import { signal } from "@preact/signals";
import type { Outbox } from "../wire/outbox.ts";

const SENT_MS = 3_000;

export class Undo {
  /** ref -> when it goes out (ms). */
  readonly until = signal<ReadonlyMap<string, number>>(new Map());
  private timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private outbox: () => Outbox) {}

  hold(ref: string, ms: number): void {
    this.until.value = new Map(this.until.peek()).set(ref, Date.now() + ms);
    this.timers.set(ref, setTimeout(() => this.release([ref]), ms));
  }

  holds(ref: string): boolean {
    return this.until.peek().has(ref);
  }

  /** These go out now; all without a list. */
  release(refs: Iterable<string> = [...this.until.peek().keys()]): void {
    const left = new Map(this.until.peek());
    for (const ref of refs) {
      clearTimeout(this.timers.get(ref));
      this.timers.delete(ref);
      left.delete(ref);
    }
    if (left.size === this.until.peek().size) return;
    this.until.value = left;
    this.outbox().flush();
  }

  /** What is held goes out, of one chat or of all; resolves when the server has it, or after a while. */
  async settle(chat?: string): Promise<void> {
    const held = this.outbox().all.filter((i) => this.holds(i.ref) && (!chat || i.chat === chat)).map((i) => i.ref);
    if (!held.length) return;
    this.release(held);
    const until = Date.now() + SENT_MS;
    const isOut = () => !this.outbox().all.some((i) => !i.failed && held.includes(i.ref));
    while (!isOut() && Date.now() < until) await new Promise((turn) => setTimeout(turn, 20));
  }
}
