/**
 * One socket to the server, kept alive. Connect and reconnect are the same act: say hello, be welcomed,
 * carry on. It knows nothing of chats; it knows when nobody is there any more.
 *
 *   idle -> connecting -> online -> offline -> connecting …       stopped = coming back is useless
 */
import { backoff, FIRST_MS, RESTART_MS } from "./backoff.ts";
import { FLOOD, mayReturn, RESTART } from "./codes.ts";
import type { Pipe } from "./poll.ts";
import type { Box } from "./storage.ts";

export type LinkState = "idle" | "connecting" | "online" | "offline" | "stopped";

export interface Frame {
  readonly type: string;
  readonly id?: number;
  readonly at?: number;
}

export interface ConnectionOptions<F extends Frame> {
  url: string;
  /** The first frame, made anew for every attempt; a rejection counts as a failed attempt. */
  hello: () => Promise<object>;
  /** Whether this frame lets us in. */
  isWelcome: (frame: F) => boolean;
  onFrame: (frame: F) => void;
  /** `code` is the close code behind `offline` and `stopped`, 0 where there is none. */
  onState: (state: LinkState, code: number) => void;
  /** Milliseconds of silence after which to ask whether somebody is there; asked anew each time. */
  quietMs?: () => number;
  /** The longest wait before coming back, where it is not the usual one. */
  longestMs?: number;
  /** Where `online`, `offline`, `pageshow` and `visibilitychange` are heard. */
  page?: EventTarget;
  /** The same by plain requests, for networks that let no socket through. */
  poll?: () => Promise<Pipe>;
  /** Where the tab remembers that it needs them. */
  box?: Pick<Box, "get" | "set">;
  document?: EventTarget & { readonly visibilityState: string };
}

export const QUIET_MS = 25_000;
/** With a chat on the screen, a dead network is noticed within 5 s: quiet + answer + two looks. */
export const QUIET_IN_CHAT_MS = 2_000;
/** Operators are few, and while one is away visitors wait: their consoles do not stay away for long. */
export const LONGEST_OF_CONSOLE_MS = 5_000;
const ANSWER_MS = 1_800;
const LONGEST_ANSWER_MS = 12_000;
const LOOK_MS = 500;
const WELCOME_MS = 10_000;
/** Four ways there and back before a socket is open: on a bad line each takes seconds. */
const OPEN_MS = 20_000;
/** A new network makes an attempt that is this old pointless: it was begun on the old one. */
const STALE_MS = 2_000;
/** A question to which a living server says nothing is given up, so that nobody waits for ever. */
const UNANSWERED_MS = 20_000;
const FLOOD_MS = 5_000;
const MOST_ASKED_MS = 60_000;

/** So many sockets in a row that did not come to a welcome are enough; more where one has worked before. */
const MISSES = 2;
const MISSES_OF_KNOWN = 5;
/** When to look whether a socket gets through by now: soon, since the server may just have been away. */
const PROBE_MS = 15_000;
/** Where a socket of this page has worked, the network most likely was away as a whole. */
const PROBE_KNOWN_MS = 1_000;
const PROBE_AGAIN_MS = 300_000;

export class Lost extends Error {}

export class Connection<F extends Frame = Frame> {
  private state: LinkState = "idle";
  private socket: Pipe | null = null;
  /** Sockets that failed since the last welcome. */
  private misses = 0;
  private known = false;
  private probing: ReturnType<typeof setTimeout> | undefined;
  /** Whether we poll: this network lets no socket through. */
  polling: boolean;
  private attempts = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  /** The server's own word: nobody is let in before that. */
  private notBefore = 0;
  private look: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private askedAt = 0;
  private owedAt = 0;
  private patience = ANSWER_MS;
  private beganAt = 0;
  private turn = 0;
  private lastId = 0;
  private questions = new Map<number, { at: number; resolve: (f: F) => void; reject: (e: Error) => void }>();
  /** Milliseconds by which the server's clock is ahead of this machine's, as far as it has said. */
  skew = 0;

  constructor(private options: ConnectionOptions<F>) {
    const { page, document } = options;
    this.polling = !!options.poll && options.box?.get("polls") === "1";
    page?.addEventListener("online", () => {
      if (this.known && !this.online) this.polling = false; // all of the network was away, not sockets alone
      this.wake();
      this.probe(PROBE_MS);
    });
    page?.addEventListener("pageshow", () => this.wake());
    page?.addEventListener("offline", () => this.lose(0));
    document?.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.wake();
    });
  }

  get online(): boolean {
    return this.state === "online";
  }

  /** Whether this browser or its network seems to let no socket through: we poll, and none has ever worked. */
  get isBlocked(): boolean {
    return this.polling && !this.known;
  }

  start(): void {
    if (this.state === "idle" || this.state === "stopped") {
      this.attempts = 0;
      void this.attempt();
    }
  }

  stop(): void {
    this.drop();
    this.become("stopped", 0);
  }

  /** A reason to believe that the world changed: come back at once, or ask whether we are still there. */
  wake(): void {
    const stale = this.state === "connecting" && now() - this.beganAt > STALE_MS;
    if (this.state === "offline" || stale) {
      this.attempts = 0;
      void this.attempt();
    } else if (this.state === "online" && !this.askedAt) this.ping();
  }

  /** The page may be kept for later: a browser that has to cut a socket for that complains in the page's console. */
  rest(): void {
    this.lose(0);
  }

  /** What we were welcomed with has grown old: be welcomed again. */
  renew(): void {
    if (this.state === "online") void this.attempt();
  }

  /** False when nothing could be sent; then the caller keeps it. `owed`: an answer is expected soon, and
   *  somebody who wants one does not sit out the wait of a line that was down. */
  send(command: object, owed = false): boolean {
    if (owed && this.state === "offline" && now() >= this.notBefore) this.wake();
    if (this.state !== "online" || this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(command, wellFormed));
    if (owed && !this.owedAt) this.owedAt = now();
    return true;
  }

  /** Sends with a fresh `id` and resolves with the reply, whatever its type; rejects with `Lost`. */
  ask(command: object): Promise<F> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      if (this.send({ ...command, id }, true)) this.questions.set(id, { at: now(), resolve, reject });
      else reject(new Lost("offline"));
    });
  }

  private async attempt(): Promise<void> {
    const turn = ++this.turn; // 1 whatever was under way no longer counts
    this.drop();
    this.beganAt = now();
    this.become("connecting", 0);
    let hello: object;
    try {
      hello = await this.options.hello(); // 2 may take a while (a ticket is fetched)
    } catch (why) {
      if (turn === this.turn) this.lose((why as { code?: number } | undefined)?.code ?? 0); // a close code, where it says one
      return;
    }
    if (turn !== this.turn || this.state !== "connecting") return;
    let socket: Pipe;
    try {
      // 3 a socket throws where the page's policy forbids it
      socket = this.polling ? await this.options.poll!() : (new WebSocket(this.options.url) as unknown as Pipe);
    } catch {
      if (turn !== this.turn) return;
      this.missed(0, MISSES_OF_KNOWN);
      this.lose(0);
      return;
    }
    if (turn !== this.turn || this.state !== "connecting") return socket.close();
    this.socket = socket;
    const mine = () => this.socket === socket;
    socket.onopen = () => {
      if (!mine()) return;
      this.askedAt = now();
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = (e) => mine() && this.hear(String(e.data));
    socket.onclose = (e) => mine() && this.lose(e.code, e.reason);
    this.heardAt = now();
    this.look = setInterval(() => this.watch(), LOOK_MS);
  }

  private hear(text: string): void {
    let frame: F;
    try {
      frame = JSON.parse(text) as F;
    } catch {
      return;
    }
    this.heardAt = now();
    if (this.askedAt && (frame.type === "pong" || this.state === "connecting")) {
      this.patience = Math.min(LONGEST_ANSWER_MS, Math.max(ANSWER_MS, 3 * (this.heardAt - this.askedAt)));
    }
    this.askedAt = 0;
    this.owedAt = 0;
    if (this.state === "connecting" && this.options.isWelcome(frame)) {
      this.attempts = this.misses = 0;
      this.known ||= !this.polling;
      this.options.box?.set("polls", this.polling ? "1" : null);
      this.probe(this.known ? PROBE_KNOWN_MS : PROBE_MS);
      this.become("online", 0);
    }
    const question = frame.id ? this.questions.get(frame.id) : undefined;
    if (question) {
      this.questions.delete(frame.id!);
      question.resolve(frame);
    }
    if (frame.type === "pong") this.skew = (frame.at ?? Date.now()) - Date.now();
    else this.options.onFrame(frame);
    if (this.questions.size && !this.owedAt) this.owedAt = this.heardAt;
  }

  /** A slow line is given three times what its last answer took, else it would be cut for ever. */
  private watch(): void {
    const at = now();
    if (this.state === "connecting") {
      if (this.askedAt ? at - this.askedAt >= WELCOME_MS : at - this.heardAt >= OPEN_MS) this.lose(0);
    } else if (this.askedAt) {
      if (at - this.askedAt >= this.patience) this.lose(0);
    } else if ((this.owedAt && at - this.owedAt >= this.patience) || at - this.heardAt >= (this.options.quietMs?.() ?? QUIET_MS)) {
      this.ping();
    }
    for (const [id, question] of this.questions) {
      if (at - question.at < UNANSWERED_MS) continue;
      this.questions.delete(id);
      question.reject(new Lost("unanswered"));
    }
  }

  private ping(): void {
    this.askedAt = now();
    this.send({ type: "ping" });
  }

  private lose(code: number, reason = ""): void {
    if (this.state === "stopped" || this.state === "idle") return;
    this.turn++;
    if (this.state === "connecting" && this.socket) this.missed(code);
    this.drop();
    if (!mayReturn(code)) {
      this.become("stopped", code);
      return;
    }
    const first = code === RESTART ? RESTART_MS : FIRST_MS;
    const told = code === FLOOD ? FLOOD_MS : appointment(reason);
    this.notBefore = now() + told;
    const wait = told + backoff(this.attempts++, Math.random, first, this.options.longestMs);
    this.retry = setTimeout(() => void this.attempt(), wait);
    this.become("offline", code);
  }

  /** Two sockets that did not come to a welcome are a sign that none gets through; but so is a server that is
   *  away, so the two ways take turns until one of them works. */
  private missed(code: number, count = now() - this.heardAt >= WELCOME_MS ? MISSES : 1): void {
    if (code >= 1012) return; // the server's own word: it was there
    this.misses += count;
    if (this.polling) this.polling = false;
    else if (this.options.poll && this.misses >= (this.known ? MISSES_OF_KNOWN : MISSES)) this.polling = true;
    else return;
    this.misses = 0;
  }

  /** Looks whether a socket gets through by now. One that does not begin with `hello` is sent away by the
   *  server itself, and that is the answer. */
  private probe(ms: number): void {
    clearTimeout(this.probing);
    if (!this.polling) return;
    this.probing = setTimeout(() => {
      if (!this.polling || !this.online) return;
      this.probe(PROBE_AGAIN_MS);
      try {
        const socket = new WebSocket(this.options.url);
        socket.onopen = () => socket.send('{"type":"ping"}');
        socket.onclose = ({ code }) => {
          if (code < 4000 || !this.polling || !this.online) return;
          this.polling = false;
          void this.attempt();
        };
        setTimeout(() => socket.close(), WELCOME_MS);
      } catch {
        // still forbidden
      }
    }, ms);
  }

  private drop(): void {
    clearTimeout(this.retry);
    clearInterval(this.look);
    const socket = this.socket;
    this.socket = null;
    this.askedAt = this.owedAt = 0;
    const questions = [...this.questions.values()];
    this.questions.clear();
    if (socket && socket.readyState < 2) socket.close(1000);
    for (const q of questions) q.reject(new Lost("lost"));
  }

  private become(state: LinkState, code: number): void {
    if (this.state === state) return;
    this.state = state;
    this.options.onState(state, code);
  }
}

/** A server that is crowded says when to come back: "busy 12000". */
function appointment(reason: string): number {
  return Math.min(MOST_ASKED_MS, Number(/^busy (\d+)$/.exec(reason)?.[1] ?? 0));
}

/** Half a character is none, and a frame that holds one is refused whole. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.replace(/[\ud800-\udfff]/gu, "\ufffd") : value;
}

/** Milliseconds of a clock that nobody sets; 0 means never. */
function now(): number {
  return performance.now() + 1;
}
