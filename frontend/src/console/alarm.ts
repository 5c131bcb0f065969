/** Sound, notifications and the icon of the tab, put together for one console among several tabs. */
import { effect, type ReadonlySignal } from "@preact/signals";
import type { Box } from "../wire/storage.ts";
import { iconOf, wanting } from "./alerts.ts";
import { Attention } from "./attention.ts";
import { Bell } from "./bell.ts";
import { Notices } from "./notices.ts";
import { Seen } from "./seen.ts";
import type { Preferences } from "./preferences.ts";
import type { State } from "./state.ts";
import { Turn } from "./turn.ts";

const HEARTBEAT_MS = 1_000;

interface Parts {
  preferences: Preferences;
  /** What all tabs share. */
  shared: Box;
  state: ReadonlySignal<State>;
  /** Whether the server wants nothing more of this page: what calls here is answered elsewhere, and nobody tells us. */
  stopped: () => boolean;
  looking: () => boolean;
  show: (chat: string) => void;
}

export class Alarm {
  readonly bell: Bell;
  readonly notices: Notices;
  private attention: Attention;
  private seen: Seen;

  constructor(private parts: Parts) {
    const { preferences, shared, state } = parts;
    const turn = new Turn(shared);
    this.bell = new Bell(() => preferences.volume.peek());
    this.notices = new Notices(parts.show);
    this.seen = new Seen(shared);
    this.attention = new Attention({
      ring: (kind) => !preferences.muted.peek() && turn.mine() && this.bell.ring(kind),
      notify: (...words) => preferences.notify.peek() && this.notices.show(...words),
      keep: (chats) => this.notices.keep(chats),
      looking: parts.looking,
      inFront: () => document.hasFocus() || Number(shared.get("front")) > Date.now() - 2 * HEARTBEAT_MS,
      detail: () => preferences.detail.peek(),
      seen: this.seen,
    });
    effect(() => turn.hearable(this.bell.voice.value === "ready" && !preferences.muted.value));
    effect(() => badge(wanting(state.value)));
    setInterval(() => document.hasFocus() && shared.set("front", String(Date.now())), HEARTBEAT_MS);
    for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, () => this.bell.allow(), true);
    const looked = () => {
      this.notices.look(); // not at every change: a browser asks another process of its own, and waits
      this.hear();
    };
    for (const name of ["focus", "blur"]) window.addEventListener(name, looked);
    document.addEventListener("visibilitychange", looked);
    window.addEventListener("storage", ({ key }) => {
      if (key?.endsWith(":front")) return; // a heartbeat
      preferences.read();
      this.hear();
    });
    this.bell.listen();
  }

  /** Something changed: what there is, or what of it is before somebody's eyes. */
  hear(): void {
    if (this.parts.stopped()) this.attention.end();
    else this.attention.hear(this.parts.state.peek());
  }

  /** Somebody logs out. */
  end(): void {
    this.attention.end();
    this.seen.clear();
    badge(0);
  }
}

let plain = "";
let shownCount = 0;

/** On the tab, and on the icon of the installed app. */
function badge(n: number): void {
  if (n === shownCount) return;
  shownCount = n;
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (icon) {
    plain ||= icon.href;
    icon.href = iconOf(n, plain);
  }
  const shown = n ? navigator.setAppBadge?.(n) : navigator.clearAppBadge?.();
  shown?.catch(() => undefined); // an app that is not installed has none
}
