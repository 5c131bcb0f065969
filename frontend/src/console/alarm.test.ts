import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Box } from "../wire/storage.ts";
import { browserStorage } from "../wire/storage.test-kit.ts";
import { Alarm } from "./alarm.ts";
import { AGAIN_MS } from "./attention.ts";
import { says, T, VERA, view, welcome } from "./cast.test-kit.ts";
import { Preferences } from "./preferences.ts";
import { apply, nothing, type State } from "./state.ts";

/** What olga's browser would sound and show. */
let tones: number;
let notices: { title: string; closed: boolean }[];

class Speaker {
  state = "running";
  currentTime = 0;
  destination = {};
  resume = async () => {};
  createOscillator() {
    tones++;
    return { frequency: {}, connect: (to: object) => to, start() {}, stop() {} };
  }
  createGain() {
    return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: () => {} };
  }
}
class Notice {
  static permission = "granted";
  closed = false;
  onclick = null;
  constructor(readonly title: string) {
    notices.push(this);
  }
  close() {
    this.closed = true;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  [tones, notices] = [0, []];
  const page = Object.assign(new EventTarget(), { hasFocus: () => false, querySelector: () => null, documentElement: { lang: "en" }, visibilityState: "hidden" });
  for (const [name, value] of Object.entries({ document: page, window: new EventTarget(), navigator: {}, AudioContext: Speaker, Notification: Notice })) vi.stubGlobal(name, value);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a console that was logged out elsewhere rings no more, and takes its notifications away (issue 4 D)", () => {
  const storage = browserStorage();
  const shared = new Box(() => storage, "console");
  const state = signal<State>(apply(nothing, welcome(), T));
  let stopped = false;
  const alarm = new Alarm({ preferences: new Preferences(shared, "olga"), shared, state, stopped: () => stopped, looking: () => false, show: () => {} });
  alarm.hear();
  const log = [...view(VERA).log!, says(VERA, 2, "I was in a crash")];
  state.value = apply(state.value, { type: "chat_listed", chat: view(VERA, { log }) }, T);
  alarm.hear();
  const once = tones;
  expect(once).toBeGreaterThan(0);
  vi.advanceTimersByTime(AGAIN_MS);
  expect(tones).toBe(2 * once);
  expect(notices.map((each) => each.closed)).toEqual([false]);
  stopped = true;
  alarm.hear();
  vi.advanceTimersByTime(10 * AGAIN_MS);
  expect(tones).toBe(2 * once);
  expect(notices.map((each) => each.closed)).toEqual([true]);
});
