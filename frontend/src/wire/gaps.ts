/**
 * Puts the rows of one log in order. Two processes may deliver a later row first, so an early one is held
 * a moment before its gap counts as a loss.
 */
export const HOLD_MS = 300;

export class Sequence<R extends { readonly seq: number }> {
  private held = new Map<number, R>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `apply` gets every row once, in order. `missing(after)` is called when a gap stays open; the answer to
   * a `resume` goes through `take` like any other row.
   */
  constructor(
    private at: number,
    private apply: (row: R) => void,
    private missing: (after: number) => void,
  ) {}

  /** The last row that was applied. */
  get seq(): number {
    return this.at;
  }

  take(row: R): void {
    if (row.seq <= this.at) return;
    this.held.set(row.seq, row);
    for (let next = this.held.get(this.at + 1); next; next = this.held.get(this.at + 1)) {
      this.held.delete(next.seq);
      this.at = next.seq;
      this.apply(next);
    }
    if (this.held.size === 0) this.quiet();
    else this.timer ??= setTimeout(() => this.overdue(), HOLD_MS);
  }

  /** The server says it stands at `seq`: is something missing that never came? */
  expect(seq: number): void {
    if (seq > this.at) this.timer ??= setTimeout(() => this.overdue(), HOLD_MS);
  }

  /** Forget what is held; the log now ends at `seq` (a snapshot or a reset was taken over). */
  restart(seq: number): void {
    this.at = seq;
    this.held.clear();
    this.quiet();
  }

  private quiet(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private overdue(): void {
    this.timer = undefined;
    this.missing(this.at);
  }
}
