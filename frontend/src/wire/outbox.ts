/**
 * What a person has sent and the server has not yet acknowledged. Kept in the storage of the tab only, and
 * only until the ack. One message of a chat is on the wire at a time, so the order of the log is
 * the order of writing; the same `ref` is sent again after a reconnect and is stored once.
 */
import { type Box } from "./storage.ts";
import { uuid7 } from "./uuid7.ts";

export interface Unsent {
  readonly ref: string;
  readonly chat: string;
  readonly text: string;
  readonly at: number;
  /** Why the server refused it; "" while it is on its way. A refused one waits for its writer. */
  readonly failed: string;
}

export class Outbox {
  private items: Unsent[];
  private flying = new Map<string, string>(); // chat -> ref
  private notBefore = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` answers false when there is no connection. `changed` is called after every change. What `held`
   *  holds back keeps what comes after it in its chat back, too: whoever lets it go calls `flush`. */
  constructor(
    private box: Box,
    private send: (item: Unsent) => boolean,
    private changed: () => void,
    private held: (item: Unsent) => boolean = () => false,
  ) {
    this.items = read(box.get("outbox"));
  }

  /** In the order of writing. */
  of(chat: string): readonly Unsent[] {
    return this.items.filter((i) => i.chat === chat);
  }

  get all(): readonly Unsent[] {
    return this.items;
  }

  /** `before` learns the `ref` before anything is sent. */
  add(chat: string, text: string, before?: (ref: string) => unknown): Unsent {
    const item: Unsent = { ref: uuid7(), chat, text, at: Date.now(), failed: "" };
    before?.(item.ref);
    this.replace([...this.items, item]);
    this.flush();
    return item;
  }

  /** The server has it; also when its row comes back before the ack. */
  acked(ref: string): void {
    this.land(ref);
    if (this.items.some((i) => i.ref === ref)) this.replace(this.items.filter((i) => i.ref !== ref));
    this.flush();
  }

  /** The server did not take it. With `retryAfterMs` it is sent again by itself. */
  refused(ref: string, code: string, retryAfterMs = 0): void {
    this.land(ref);
    if (retryAfterMs > 0) {
      this.notBefore = Math.max(this.notBefore, performance.now() + retryAfterMs);
    } else {
      this.replace(this.items.map((i) => (i.ref === ref ? { ...i, failed: code } : i)));
    }
    this.flush();
  }

  retry(ref: string): void {
    this.replace(this.items.map((i) => (i.ref === ref ? { ...i, failed: "" } : i)));
    this.flush();
  }

  /** Takes it out; the writer has it back. */
  remove(ref: string): void {
    this.acked(ref);
  }

  /** A new connection: whatever was on the wire may be lost, so it is sent again. */
  reconnected(): void {
    this.flying.clear();
    this.flush();
  }

  /** The page goes, and nobody will hear an ack: all that waits goes out now, in its order. */
  last(): void {
    for (const item of this.items) if (!item.failed && this.flying.get(item.chat) !== item.ref && !this.send(item)) return;
  }

  clear(): void {
    this.flying.clear();
    this.replace([]);
  }

  flush(): void {
    const wait = this.notBefore - performance.now();
    if (wait > 0) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.flush(), wait);
      return;
    }
    const stopped = new Set<string>();
    for (const item of this.items) {
      if (item.failed || this.flying.has(item.chat) || stopped.has(item.chat)) continue;
      if (this.held(item)) {
        stopped.add(item.chat);
        continue;
      }
      if (!this.send(item)) return;
      this.flying.set(item.chat, item.ref);
    }
  }

  private land(ref: string): void {
    for (const [chat, flying] of this.flying) if (flying === ref) this.flying.delete(chat);
  }

  private replace(items: Unsent[]): void {
    this.items = items;
    const kept = items.filter((i) => i.failed !== "chat_closed"); // with the chat ends what its storage may hold
    this.box.set("outbox", kept.length ? JSON.stringify(kept) : null);
    this.changed();
  }
}

function read(text: string | null): Unsent[] {
  try {
    const items: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(items) ? items.filter((i): i is Unsent => typeof i?.ref === "string" && typeof i.text === "string") : [];
  } catch {
    return [];
  }
}
