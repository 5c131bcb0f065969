/**
 * One of several tabs makes the sound. A lock of the browser's says which, and passes on by itself when that
 * tab goes; only a tab that can be heard asks for it. Plain http has no locks: there a note in the shared
 * storage does, which two tabs might once in a while both believe in.
 */
import type { Box } from "../wire/storage.ts";
import { uuid7 } from "../wire/uuid7.ts";

const NAME = "chatlead-bell";
const LEASE_MS = 10_000;

export class Turn {
  private id = uuid7();
  private holds = false;
  private end: (() => void) | null = null;
  private cancel: AbortController | null = null;

  constructor(
    private box: Box,
    private locks: LockManager | undefined = globalThis.navigator?.locks,
  ) {}

  /** This tab can be heard, or not any more. */
  hearable(can: boolean): void {
    if (!this.locks || can === (this.cancel !== null)) return;
    if (!can) {
      this.cancel?.abort();
      this.end?.();
      this.cancel = this.end = null;
      this.holds = false;
      return;
    }
    const cancel = (this.cancel = new AbortController());
    const hold = () => {
      this.holds = true;
      return new Promise<void>((end) => (this.end = end));
    };
    this.locks.request(NAME, { signal: cancel.signal }, hold).catch(() => undefined); // given up while in line
  }

  /** Whether it is this tab that sounds now. */
  mine(now: number = Date.now()): boolean {
    if (this.locks) return this.holds;
    const [who, until] = (this.box.get("bell") ?? "").split(" ");
    if (who && who !== this.id && Number(until) > now) return false;
    this.box.set("bell", `${this.id} ${now + LEASE_MS}`);
    return true;
  }
}
