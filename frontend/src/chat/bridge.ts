/**
 * The talk between the loader on the host page and the frame, and its words. The loader speaks first, so
 * that the frame learns its parent's origin from the browser; each side sends to that exact origin only and
 * hears only that window (P-2). Nothing in it opens a chat but the ticket, which is good once and for 60 s;
 * no text of a chat ever crosses.
 */
import { CLOSE_CODES } from "../wire/protocol.ts";

/** Loader -> frame. `ticket` "" says that none could be had; `refused`, that asking again is no use. */
export type ToFrame =
  | { chatlead: 1; type: "init"; browser: string; url: string; open: boolean }
  | { chatlead: 1; type: "ticket"; ticket: string; refused?: boolean }
  | { chatlead: 1; type: "open" | "close" };

/** Frame -> loader. `text` is the count in words, in the language of the frame; `chat`: is one going on; `event` is passed on to the page's listeners. */
export type ToLoader =
  | { chatlead: 1; type: "ticket" | "close" }
  | { chatlead: 1; type: "unread"; count: number; text?: string }
  | { chatlead: 1; type: "chat"; open: boolean }
  | { chatlead: 1; type: "event"; name: "chat_started" | "message" | "chat_ended" | "survey_sent"; detail: Record<string, string | number> };

/** The site, or this page of it, is to have no chat: `code` is what a socket would be closed with. */
export class Refused extends Error {
  readonly code: number = CLOSE_CODES.NOT_FOUND;
}

/** A line that needs seconds for each way is slow, not dead. */
const TICKET_MS = 20_000;

export interface Parent {
  origin: string;
  browser: string;
  url: string;
}

/** What the chat needs of whatever it stands in. */
export type Page = Pick<Bridge, "admission" | "tell">;

interface Admission {
  ticket: string;
  refused: boolean;
}

export class Bridge {
  private parent: Parent | null = null;
  private greeted: (() => void)[] = [];
  private tickets: ((answer: Admission) => void)[] = [];

  /** `opened` is told whenever the panel is shown or hidden. */
  constructor(private view: Window, private opened: (open: boolean) => void) {
    view.addEventListener("message", (e) => this.hear(e));
  }

  /** A fresh ticket, and the origin of the embedding page as the browser names it. Rejects without one, with
   * `Refused` where asking again is no use. */
  async admission(): Promise<Parent & { ticket: string }> {
    if (!this.parent) await within(new Promise<void>((done) => this.greeted.push(done)));
    const answer = new Promise<Admission>((done) => this.tickets.push(done));
    this.tell({ chatlead: 1, type: "ticket" });
    const { ticket, refused } = await within(answer);
    if (refused) throw new Refused("no chat here");
    if (!ticket) throw new Error("no ticket");
    return { ...this.parent!, ticket };
  }

  tell(message: ToLoader): void {
    if (this.parent) this.view.parent.postMessage(message, this.parent.origin);
  }

  private hear(e: MessageEvent): void {
    if (e.source !== this.view.parent || this.view.parent === this.view) return;
    if (this.parent && e.origin !== this.parent.origin) return;
    const m = e.data as ToFrame | null;
    if (typeof m !== "object" || m?.chatlead !== 1) return;
    if (m.type === "init") {
      this.parent = { origin: e.origin, browser: text(m.browser, 200), url: text(m.url, 2048) };
      this.opened(m.open === true);
      for (const done of this.greeted.splice(0)) done();
    } else if (!this.parent) {
      return; // the loader always begins with `init`
    } else if (m.type === "ticket") {
      for (const done of this.tickets.splice(0)) done({ ticket: text(m.ticket, 600), refused: m.refused === true });
    } else if (m.type === "open" || m.type === "close") {
      this.opened(m.type === "open");
    }
  }
}

function text(value: unknown, longest: number): string {
  return typeof value === "string" && value.length <= longest ? value : "";
}

function within<T>(promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), TICKET_MS);
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
