/**
 * The loader's own socket: hears whether somebody is online, for as long as the page is looked at. Nothing
 * depends on it, so it asks nothing, is in no hurry, and where sockets are forbidden the page stays without.
 *
 * It is not wire/connection.ts: that one alone would take the loader over the 6 KB that a page may load of
 * ours before a chat is opened. Their manners are the same: full jitter, numbered closes, no return after 44xx.
 */
import type { AvailabilityChanged, PageWelcome, Ping, VisitorFrame } from "../wire/protocol.ts";
import { backoff, mayReturn, RESTART_MS } from "../wire/backoff.ts";

/** Attempts in a row after which the page waits for a reason: being shown again, or a network. */
const TRIES = 7;
/** A socket that never was opened is forbidden or blocked: every attempt is a line in the page's console. */
const FIRST_TRIES = 2;
const WAIT_MS = 2_000;
/** A page that nobody looks at for so long gives its socket back. */
export const HIDDEN_MS = 300_000;
/** After so long out of sight a socket may be dead without knowing. */
const DOUBT_MS = 30_000;
const ANSWER_MS = 10_000;
const RESTART = 1012;

export type News = PageWelcome | AvailabilityChanged;

export interface LiveOptions {
  url: string;
  hello: () => object;
  heard: (news: News) => void;
  /** Nothing is known any more. */
  lost: () => void;
  /** The site does not want this page any more. */
  refused: () => void;
}

export class Live {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sleep: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  private known = false;
  private over = false;
  private hiddenAt = 0;

  constructor(private options: LiveOptions) {
    addEventListener("pagehide", () => this.drop()); // an open socket would keep the page out of the back/forward cache
    addEventListener("offline", () => {
      this.drop();
      options.lost();
    });
    for (const reason of ["pageshow", "online"]) addEventListener(reason, () => this.redial());
    document.addEventListener("visibilitychange", () => this.turned());
    document.addEventListener("securitypolicyviolation", (e) => {
      if (e.blockedURI.startsWith(options.url.split("/ws/")[0]!)) this.over = true;
    });
    this.dial();
  }

  private dial(): void {
    clearTimeout(this.timer);
    if (this.over || this.socket || document.hidden) return;
    try {
      const socket = (this.socket = new WebSocket(this.options.url));
      const mine = () => this.socket === socket;
      socket.onopen = () => (mine() ? socket.send(JSON.stringify(this.options.hello())) : socket.close());
      socket.onmessage = (e) => mine() && this.take(String(e.data));
      socket.onclose = (e) => mine() && this.closed(e);
    } catch {
      this.over = true; // forbidden by the page's policy
    }
  }

  private take(text: string): void {
    clearTimeout(this.timer);
    try {
      const frame = JSON.parse(text) as VisitorFrame;
      if (frame.type !== "page_welcome" && frame.type !== "availability_changed") return;
      this.known = true;
      this.tries = 0;
      this.options.heard(frame);
    } catch {
      // not for us
    }
  }

  /** A server that is crowded says when to come back: "busy 12000". */
  private closed({ code, reason }: CloseEvent): void {
    this.socket = null;
    if (!mayReturn(code)) {
      this.over = true;
      this.options.refused();
    } else if (++this.tries < (this.known ? TRIES : FIRST_TRIES)) {
      const wait = code === RESTART ? backoff(0, Math.random, RESTART_MS) : WAIT_MS + 4 * backoff(this.tries);
      this.timer = setTimeout(() => this.dial(), wait + Number(/\d*$/.exec(reason)![0]));
    } else {
      this.over = !this.known;
      this.options.lost();
    }
  }

  private drop(): void {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = null;
    if (socket?.readyState) socket.close(); // closed while it connects, the browser would complain
  }

  private redial(): void {
    this.tries = 0;
    this.dial();
  }

  private turned(): void {
    clearTimeout(this.sleep);
    if (document.hidden) {
      this.hiddenAt = performance.now();
      this.sleep = setTimeout(() => this.drop(), HIDDEN_MS);
    } else {
      this.redial();
      if (this.socket?.readyState === 1 && performance.now() - this.hiddenAt > DOUBT_MS) this.doubt();
    }
  }

  private doubt(): void {
    const ping: Ping = { type: "ping" };
    this.socket!.send(JSON.stringify(ping));
    this.timer = setTimeout(() => {
      this.drop();
      this.dial();
    }, ANSWER_MS);
  }
}
