/**
 * The work of a WebSocket by plain requests, with a WebSocket's face (docs/protocol.md, Without WebSockets).
 * One request listens: it says what we have, and the server holds it until there is more. Another one says
 * what is to be said; what is said while it is under way travels with the next, so the order is kept. What
 * became of a lost one is not known: then this counts as closed, and `ref` makes saying it again harmless.
 */

/** What a `Connection` needs of a WebSocket. */
export interface Pipe {
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number; reason?: string }) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

interface Answer {
  frames: object[];
  pass?: string;
  close?: number;
  reason?: string;
}

export const HOLD_MS = 25_000;
const LATE_MS = 12_000;
const TOGETHER = 10;
/** Something in between that cuts a held request after some seconds is asked for shorter ones. */
const SHORTEST_HOLD_MS = 2_000;
const LONG_MS = 4_000;
const LOST = 1006;
/** Of what outlives its page a browser takes 64 KiB in all. */
const BRIEF = 16_000;

export class PollSocket implements Pipe {
  readyState = 0;
  onopen: Pipe["onopen"] = null;
  onmessage: Pipe["onmessage"] = null;
  onclose: Pipe["onclose"] = null;

  private hello: unknown = null;
  private pass = "";
  private said: unknown[] = [];
  private speaking = false;
  private cuts = new Set<AbortController>();

  /** `at` says what we have, anew for each request that listens. */
  constructor(private url: string, private at: () => object) {
    setTimeout(() => {
      if (this.readyState) return;
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    const frame: unknown = JSON.parse(text);
    if (this.hello === null) {
      this.hello = frame;
      void this.listen();
    } else {
      this.said.push(frame);
      if (!this.speaking) void this.speak();
    }
  }

  close(): void {
    this.readyState = 3;
    for (const cut of this.cuts) cut.abort();
  }

  private async listen(): Promise<void> {
    if (!this.take(await this.ask({ want: "welcome" }, 0))) return;
    let hold = HOLD_MS;
    let quick = 0;
    while (this.readyState === 1) {
      const began = performance.now();
      const answer = await this.ask({ want: "news", at: this.at(), wait: hold }, hold);
      const took = performance.now() - began;
      if (!answer && took > LONG_MS && took < hold && hold > SHORTEST_HOLD_MS) {
        hold = Math.max(SHORTEST_HOLD_MS, took / 2);
        continue;
      }
      if (!this.take(answer)) return;
      quick = took < 100 ? quick + 1 : 0;
      if (quick > 5) await new Promise((done) => setTimeout(done, Math.min(2_000, 100 * quick))); // never in a circle
    }
  }

  private async speak(): Promise<void> {
    this.speaking = true;
    await null; // what is said in one moment travels together
    while (this.said.length && this.readyState === 1) {
      if (!this.take(await this.ask({ want: "answers", commands: this.said.splice(0, TOGETHER) }, 0))) return;
    }
    this.speaking = false;
  }

  /** Null where the answer is not one of ours: nothing came, or a page of something in between. */
  private async ask(what: object, hold: number): Promise<Answer | null> {
    const cut = new AbortController();
    this.cuts.add(cut);
    const timer = setTimeout(() => cut.abort(), hold + LATE_MS);
    try {
      const body = JSON.stringify({ hello: this.hello, pass: this.pass, ...what });
      const headers = { "content-type": "application/json" };
      const keepalive = !hold && body.length < BRIEF; // the last words of a page outlive it
      const response = await fetch(this.url, { method: "POST", body, headers, keepalive, cache: "no-store", signal: cut.signal });
      const answer = (await response.json()) as Answer | null;
      return answer && Array.isArray(answer.frames) ? answer : null;
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
      this.cuts.delete(cut);
    }
  }

  /** False where this is the end. */
  private take(answer: Answer | null): boolean {
    if (this.readyState !== 1) return false;
    for (const frame of answer?.frames ?? []) this.onmessage?.({ data: JSON.stringify(frame) });
    if (answer?.pass) this.pass = answer.pass;
    if (answer && !answer.close) return true;
    if (this.readyState === 1) {
      this.close();
      this.onclose?.({ code: answer?.close ?? LOST, reason: answer?.reason ?? "" });
    }
    return false;
  }
}
