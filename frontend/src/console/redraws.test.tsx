import { signal } from "@preact/signals";
import { type ComponentChild, render } from "preact";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { browserStorage } from "../wire/storage.test-kit.ts";
import { Box } from "../wire/storage.ts";
import { active, OLGA, says, T, view, welcome } from "./cast.test-kit.ts";
import type { Desk } from "./desk.ts";
import { countDrawings, drawable, type Place } from "./dom.test-kit.ts";
import { Drafts } from "./drafts.ts";
import { Lists } from "./lists.tsx";
import { apply, type Chat, type Frame, find, nothing, open, type State } from "./state.ts";
import { rarely, steady } from "./steady.ts";
import { DRAWN, drawn, firstDrawn } from "./thread.ts";
import { views } from "./views.ts";

const uid = (n: number) => `chat-number-${String(n).padStart(10, "0")}`;
const MANY = 30;
const LINE = 200;
const busyDay = welcome([
  ...Array.from({ length: MANY }, (_, n) => active(uid(n), ["hello"])),
  ...Array.from({ length: LINE }, (_, n) => view(uid(1000 + n), { started_at: T - n })),
]);

let root: Element;
let drawings: Map<string, number>;
beforeAll(() => {
  root = drawable();
  drawings = countDrawings();
});

let state: ReturnType<typeof signal<State>>;
let desk: Desk;
const hears = (frame: Frame) => (state.value = apply(state.value!, frame, T));
/** Preact draws in the next turn. */
const settled = () => new Promise((done) => setTimeout(done));
const news = async () => {
  await settled();
  const found = Object.fromEntries(drawings);
  drawings.clear();
  return found;
};

beforeEach(async () => {
  state = signal(apply(nothing, busyDay, T));
  const session = { busy: signal(new Set()), lost: signal([]), drafts: new Drafts(new Box(() => browserStorage(), "console")) };
  desk = { ...views(state as never), session, now: signal(T + 1000) } as unknown as Desk;
  render(null, root);
  render(<Lists desk={desk} />, root);
  await news();
});

test("a message in one of thirty chats draws one row anew, and nobody in the line (issue 4 D)", async () => {
  hears(says(uid(3), 4, "and another thing"));
  const found = await news();
  expect(found["MineRow"]).toBe(1);
  expect(found["WaitingRow"]).toBeUndefined();
  expect(root.textContent).toContain("and another thing");
});

test("the clock goes on by itself: no row is drawn anew for it", async () => {
  desk.now.value += 1000;
  const found = await news();
  expect(found).toEqual({ Clock: LINE });
});

test("a wait turns warm at the account's target, and at another one as soon as that is told", async () => {
  const warmIn = (place: Place): number => Number(/\brow-warm\b/.test(place.attributes.get("class") ?? "")) + place.childNodes.reduce((n, each) => n + warmIn(each), 0);
  const warm = () => warmIn(root as unknown as Place);
  desk.now.value = T + 59_000; // the longest waits for 58 s and LINE ms
  await news();
  expect(warm()).toBe(0);
  hears({ type: "target_changed", seconds: 30, version: 4 });
  expect(await news()).toEqual({ Clock: LINE });
  expect(warm()).toBe(LINE);
  hears({ type: "target_changed", seconds: 600, version: 3 }); // older news
  await news();
  expect(warm()).toBe(LINE);
  hears({ type: "target_changed", seconds: 120, version: 5 });
  await news();
  expect(warm()).toBe(0);
});

test("whoever looks into another chat has two rows drawn anew", async () => {
  state.value = open(state.value!, uid(1));
  await news();
  state.value = open(state.value!, uid(2));
  expect((await news())["MineRow"]).toBe(2);
});

test("one more in the line is one more row", async () => {
  hears({ type: "chat_listed", chat: view(uid(5000), { started_at: T + 1 }) });
  expect((await news())["WaitingRow"]).toBe(1);
});

test("a list whose members are the same is the same list", () => {
  const all = signal([{ at: 1 }, { at: 2 }]);
  const same = steady(() => all.value.filter((each) => each.at > 0));
  const before = same.value;
  all.value = [...all.value];
  expect(same.value).toBe(before);
  all.value = [...all.value, { at: 3 }];
  expect(same.value).toHaveLength(3);
});

test("what is drawn rarely is drawn when something of it differs, and functions are nothing of it", async () => {
  const Bubble = rarely(function Bubble({ item }: { item: { text: string; unsent: object | null }; press: () => void }): ComponentChild {
    return item.text;
  });
  const shows = async (text: string, unsent: object | null = null) => {
    render(<Bubble item={{ text, unsent }} press={() => undefined} />, root);
    return (await news())[Bubble.name] ?? 0;
  };
  expect(await shows("hello")).toBe(1);
  expect(await shows("hello")).toBe(0);
  expect(await shows("hello, edited")).toBe(1);
  expect(await shows("hello, edited", { failed: "chat_closed" })).toBe(1);
  expect(root.textContent).toBe("hello, edited");
});

test("of a chat of ten thousand messages the end is drawn, and further up what is asked for", () => {
  const texts = Array.from({ length: 10_000 }, (_, n) => `line ${n}`);
  const chat = find(apply(nothing, welcome([active(uid(1), texts)]), T), uid(1)) as Chat;
  const { log } = chat;
  const last = log.length;
  const first = firstDrawn(log, 0, true);
  expect(drawn(chat, first).log).toEqual(log.slice(-DRAWN));
  expect(firstDrawn(log, first - DRAWN, false)).toBe(first - DRAWN); // who reads there keeps it …
  expect(firstDrawn(log, first - 5 * DRAWN, false)).toBe(first - 5 * DRAWN);
  expect(firstDrawn(log, first - 5 * DRAWN, true)).toBe(last - DRAWN + 1); // … until the end is followed again
  expect(firstDrawn([], 0, true)).toBe(1);
  expect(firstDrawn(log.slice(0, 3), 0, true)).toBe(1);
  expect(firstDrawn(log.slice(50), 7, false)).toBe(51); // after a reset the log begins later
});

test("a note is drawn with the rows beside it", () => {
  const texts = Array.from({ length: 200 }, (_, n) => `line ${n}`);
  const note = (staff_seq: number, at: number): Frame => ({ type: "note_added", chat: uid(1), staff_seq, at, ref: `n${staff_seq}`, operator: OLGA, name: "Olga", text: "VIP" });
  let s = apply(nothing, welcome([active(uid(1), texts)]), T);
  const log = find(s, uid(1))!.log;
  s = apply(apply(s, note(1, log[0]!.at - 1), T), note(2, log.at(-1)!.at + 1), T);
  const chat = find(s, uid(1))!;
  expect(drawn(chat, 1).notes).toHaveLength(2);
  expect(drawn(chat, firstDrawn(chat.log, 0, true)).notes.map((n) => n.staff_seq)).toEqual([2]);
});
