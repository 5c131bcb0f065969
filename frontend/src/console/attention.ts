/**
 * That no visitor is missed: a sound that repeats until the one who waits is answered or looked at, and a
 * notification while no console is in front. Told of every change, it finds out by itself what is new.
 */
import { firstWords, lastWords, visitorName } from "./words.ts";
import { type Call, calls, wrote } from "./alerts.ts";
import type { Ring } from "./bell.ts";
import type { Seen } from "./seen.ts";
import { type Chat, mine, type State, unread } from "./state.ts";
import { say } from "./strings.ts";

/** While it sounds a page counts as heard, so that browsers do not slow its timers down in the background. */
export const AGAIN_MS = 6_000;

export interface Around {
  ring: (kind: Ring) => void;
  notify: (chat: string, title: string, body: string) => void;
  /** Takes away the notifications of all chats but these. */
  keep: (chats: ReadonlySet<string>) => void;
  /** Whether this tab's conversation is before somebody's eyes. */
  looking: () => boolean;
  /** Whether any tab of the console is in front. */
  inFront: () => boolean;
  /** Names and first words may be shown. */
  detail: () => boolean;
  seen: Seen;
}

export class Attention {
  private before: State | null = null;
  private called: ReadonlySet<string> = new Set();
  private noticed = "";
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private around: Around) {}

  /** Something changed: in the state, in what is looked at, or in what another tab has seen. */
  hear(state: State): void {
    const { seen } = this.around;
    const before = this.before;
    this.before = state;
    const all = calls(state);
    if (this.around.looking()) for (const { key, chat } of all) if (chat.uid === state.open) seen.add(key);
    const known = seen.all();
    const open = all.filter(({ key }) => !known.has(key));
    const fresh = open.filter(({ key }) => !this.called.has(key));
    this.called = new Set(open.map(({ key }) => key));
    this.repeat(open.length > 0, fresh.length > 0);
    const said = before && before.me?.uid === state.me?.uid ? wrote(before, state).filter((chat) => !this.isLookedAt(state, chat)) : [];
    if (said.length && !fresh.length) this.around.ring("wrote");
    this.notify(before?.me ? fresh : [], said);
    this.tidy(state, open);
  }

  /** The page goes, somebody logs out, or nothing is heard any more of what calls. */
  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.around.keep(new Set());
  }

  private isLookedAt(state: State, chat: Chat): boolean {
    return state.open === chat.uid && this.around.looking();
  }

  private repeat(wanted: boolean, anew: boolean): void {
    if (anew || !wanted) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    if (!anew) return;
    this.around.ring("waits");
    this.timer = setInterval(() => this.around.ring("waits"), AGAIN_MS);
  }

  private notify(fresh: readonly Call[], said: readonly Chat[]): void {
    if (this.around.inFront()) return;
    const detail = this.around.detail();
    for (const { chat, kind } of fresh) {
      const name = visitorName(chat.visitor);
      const title = kind === "waits" ? (detail ? say.alerts.named(name) : say.alerts.oneWaits) : detail ? say.alerts.passedOnNamed(name) : say.alerts.passedOn;
      this.around.notify(chat.uid, title, (detail && firstWords(chat)) || say.alerts.open);
    }
    for (const chat of said) {
      this.around.notify(chat.uid, detail ? say.alerts.messageOf(visitorName(chat.visitor)) : say.alerts.newMessage, detail ? lastWords(chat) : say.alerts.open);
    }
  }

  /** Whoever was answered or looked at has no notification any more. */
  private tidy(state: State, open: readonly Call[]): void {
    const unreadOnes = mine(state).filter((c) => !c.left && unread(c) > 0);
    const wanted = new Set([...open.map(({ chat }) => chat), ...unreadOnes].map((c) => c.uid));
    const now = [...wanted].sort().join();
    if (now === this.noticed) return;
    this.noticed = now;
    this.around.keep(wanted);
  }
}
