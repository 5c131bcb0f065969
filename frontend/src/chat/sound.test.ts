/** one sound for an answer that nobody sees come, in browsers that have all they need and in those that lack something. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { PublicRow, VisitorChatView } from "../wire/protocol.ts";
import { type ChatState, NOTHING } from "./state.ts";
import { listen } from "./sound.ts";
import { Value } from "./value.ts";

const NOTES = 2;
let notes: number;
let gestures: EventTarget;
let kept: Map<string, string>;
let channels: Set<Channel>;

let may: boolean; // somebody has pressed something on the page

class Audio {
  currentTime = 0;
  destination = {};
  state = "suspended";
  private was = false;
  suspend = () => Promise.resolve();
  close = () => Promise.resolve();
  resume() {
    if (!this.was && !may) return new Promise(() => {});
    this.was = true; // it is not asked twice
    this.state = "running";
    return Promise.resolve();
  }
  createOscillator() {
    return { frequency: { value: 0 }, connect: (to: object) => to, start: () => (notes += 1), stop: () => {} };
  }
  createGain() {
    const set = () => {};
    return { gain: { setValueAtTime: set, linearRampToValueAtTime: set, exponentialRampToValueAtTime: set }, connect: (to: object) => to };
  }
}
class Channel {
  onmessage: ((e: { data: unknown }) => void) | null = null;
  constructor(readonly name: string) {
    channels.add(this);
  }
  postMessage(data: unknown) {
    for (const each of channels) if (each !== this && each.name === this.name) queueMicrotask(() => each.onmessage?.({ data }));
  }
}
/** The browser's own rule: who asks for what another one holds gets nothing, and does not wait. */
function oneAtATime() {
  const held = new Set<string>();
  return {
    async request(name: string, _: object, act: (lock: object | null) => unknown) {
      if (held.has(name)) return void act(null);
      held.add(name);
      await act({});
      held.delete(name);
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  notes = 0;
  may = true;
  gestures = new EventTarget();
  kept = new Map();
  channels = new Set();
  vi.stubGlobal("AudioContext", Audio);
  vi.stubGlobal("BroadcastChannel", Channel);
  vi.stubGlobal("addEventListener", gestures.addEventListener.bind(gestures));
  vi.stubGlobal("document", { visibilityState: "visible" });
  vi.stubGlobal("navigator", { userActivation: { hasBeenActive: true }, locks: oneAtATime() });
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function tab(open = false) {
  const chat = { uid: "c1", log: [] as PublicRow[] } as unknown as VisitorChatView;
  const client = { state: new Value<ChatState>({ ...NOTHING, chat }), shown: new Value(open), muted: new Value<boolean | null>(null) };
  listen("k", client);
  return {
    ...client,
    hears: (seq: number, author = "operator", uid = "c1") => {
      const row = { type: "message_posted", chat: uid, seq, at: 0, author, ref: "", text: "x" } as PublicRow;
      const before = client.state.value.chat!;
      const log = before.uid === uid ? before.log! : [];
      client.state.value = { ...client.state.value, chat: { ...before, uid, log: [...log, row] } };
    },
  };
}
const sounds = async () => {
  await vi.advanceTimersByTimeAsync(1_000);
  return notes / NOTES;
};

describe.each([
  ["all it needs", () => {}],
  ["no locks: the line is not secure", () => vi.stubGlobal("navigator", { userActivation: { hasBeenActive: true } })],
])("a browser with %s", (_what, prepare) => {
  beforeEach(prepare);

  test("of three tabs that are put away one sounds", async () => {
    for (const each of [tab(), tab(), tab()]) each.hears(2);
    expect(await sounds()).toBe(1);
  });

  test("a tab that hears of it much later stays silent", async () => {
    const [first, late] = [tab(), tab()];
    first.hears(2);
    expect(await sounds()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    late.hears(2);
    expect(await sounds()).toBe(1);
  });

  test("none sounds while she looks at one", async () => {
    const [seen, hidden] = [tab(true), tab()];
    hidden.hears(2);
    seen.hears(2);
    expect(await sounds()).toBe(0);
  });
});

test("an open panel in a tab that is not looked at is not seen", async () => {
  vi.stubGlobal("document", { visibilityState: "hidden" });
  tab(true).hears(2);
  expect(await sounds()).toBe(1);
});

test.each([
  ["her own words", (one: ReturnType<typeof tab>) => one.hears(2, "visitor")],
  ["what stands in a chat that she comes to", (one: ReturnType<typeof tab>) => one.hears(7, "operator", "c2")],
  ["nothing new", (one: ReturnType<typeof tab>) => (one.state.value = { ...one.state.value, typing: true })],
])("%s make no sound", async (_what, happens) => {
  happens(tab());
  expect(await sounds()).toBe(0);
});

test("of many messages in a row not each sounds, and later ones do again", async () => {
  const one = tab();
  for (const seq of [2, 3, 4]) one.hears(seq);
  expect(await sounds()).toBe(1);
  await vi.advanceTimersByTimeAsync(5_000);
  one.hears(5);
  expect(await sounds()).toBe(2);
});

test("what she has said about the sound is kept, and another tab hears of it", async () => {
  const [one, other] = [tab(), tab()];
  one.muted.value = true;
  gestures.dispatchEvent(new Event("storage"));
  expect(other.muted.value).toBe(true);
  one.hears(2);
  other.hears(2);
  expect(await sounds()).toBe(0);
  expect(tab().muted.value).toBe(true);
  one.muted.value = false;
  expect([...kept]).toEqual([]); // the rule is no entry
});

test("where storage, channels and locks are all refused it sounds, and can be muted for as long as the page lives", async () => {
  const refused = () => {
    throw new DOMException("no", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: refused, setItem: refused, removeItem: refused });
  vi.stubGlobal("BroadcastChannel", class { constructor() { refused(); } });
  vi.stubGlobal("navigator", { userActivation: { hasBeenActive: true }, locks: { request: async () => refused() } });
  const one = tab();
  one.hears(2);
  expect(await sounds()).toBe(1);
  await vi.advanceTimersByTimeAsync(5_000);
  one.muted.value = true;
  one.hears(3);
  expect(await sounds()).toBe(1);
});

test("before a gesture it is silent, and after one on the page or in the chat it sounds", async () => {
  may = false;
  vi.stubGlobal("navigator", { userActivation: { hasBeenActive: false }, locks: oneAtATime() });
  const one = tab();
  one.hears(2);
  expect(await sounds()).toBe(0);
  may = true;
  one.hears(3);
  expect(await sounds()).toBe(1);
});

test("a tab that may not sound leaves it to one that may", async () => {
  const allowed = tab();
  await sounds();
  may = false;
  const mayNot = tab();
  mayNot.hears(2);
  allowed.hears(2);
  expect(await sounds()).toBe(1);
});

test("a machine without sound has a chat all the same", async () => {
  vi.stubGlobal("AudioContext", undefined);
  tab().hears(2);
  expect(await sounds()).toBe(0);
});
