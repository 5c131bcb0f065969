import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Box } from "../wire/storage.ts";
import { browserStorage } from "../wire/storage.test-kit.ts";
import { calls, iconOf, titleOf, wanting } from "./alerts.ts";
import { AGAIN_MS, Attention } from "./attention.ts";
import type { Ring } from "./bell.ts";
import { accepted, active, DANA, OLGA, SALES, SAM, says, T, VERA, view, welcome } from "./cast.test-kit.ts";
import { Seen } from "./seen.ts";
import { apply, availability, nothing, open, type State } from "./state.ts";
import { Turn } from "./turn.ts";

let storage: Storage;
let rang: Ring[];
let told: string[];
let kept: string[][];
let looking: boolean;
let inFront: boolean;
let detail: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  storage = browserStorage();
  [rang, told, kept] = [[], [], []];
  [looking, inFront, detail] = [false, false, false];
});
afterEach(() => vi.useRealTimers());

const box = () => new Box(() => storage, "console");
function attention(): Attention {
  return new Attention({
    ring: (kind) => rang.push(kind),
    notify: (chat, title, body) => told.push(`${chat === VERA ? "vera" : "dana"}: ${title}. ${body}`),
    keep: (chats) => kept.push([...chats]),
    looking: () => looking,
    inFront: () => inFront,
    detail: () => detail,
    seen: new Seen(box()),
  });
}
const here = (...args: Parameters<typeof welcome>) => apply(nothing, welcome(...args), T);
const quiet = here();
const vera = view(VERA, { log: [{ type: "chat_opened", chat: VERA, seq: 1, at: T, author: "system", department: "Sales" }, says(VERA, 2, "I was in a crash")] });
const waits = apply(quiet, { type: "chat_listed", chat: vera }, T);

test("who waits is heard again and again until somebody answers (peers 2.3)", () => {
  const a = attention();
  a.hear(quiet);
  expect(rang).toEqual([]);
  a.hear(waits);
  vi.advanceTimersByTime(3 * AGAIN_MS);
  expect(rang).toEqual(["waits", "waits", "waits", "waits"]);
  a.hear(apply(waits, accepted(VERA, 3, SAM, "Sam") as never, T));
  vi.advanceTimersByTime(3 * AGAIN_MS);
  expect(rang).toHaveLength(4);
});

test("who was looked at is not rung for any more, in no tab and after no reload; who is new is", () => {
  const a = attention();
  a.hear(waits);
  looking = true;
  a.hear(open(waits, VERA));
  vi.advanceTimersByTime(3 * AGAIN_MS);
  expect(rang).toHaveLength(1);
  looking = false;
  attention().hear(waits);
  expect(rang).toHaveLength(1);
  a.hear(apply(waits, { type: "chat_listed", chat: view(DANA) }, T));
  expect(rang).toHaveLength(2);
});

test("an open chat that nobody looks at still calls", () => {
  const a = attention();
  a.hear(open(waits, VERA));
  vi.advanceTimersByTime(AGAIN_MS);
  expect(rang).toHaveLength(2);
});

test("one that comes back to the line calls again", () => {
  const returned = { type: "chat_returned", chat: VERA, seq: 4, at: T + 9000, author: "system", operator: SAM, name: "Sam", reason: "lost" } as const;
  const log = [...(vera.log ?? []), accepted(VERA, 3, SAM, "Sam"), returned];
  const a = attention();
  looking = true;
  a.hear(open(waits, VERA));
  expect(rang).toEqual([]); // it was before her eyes when it came
  looking = false;
  a.hear(here([{ ...vera, log, seq: 4 }]));
  expect(rang).toEqual(["waits"]);
});

test("what a colleague passes on calls until it is looked at or answered", () => {
  const moved = { type: "chat_transferred", chat: VERA, seq: 3, at: T + 5000, author: "operator", operator: SAM, name: "Sam", department: "Sales", department_uid: SALES.uid, state: "active", to_operator: OLGA, to_name: "Olga" } as const;
  const state = here([{ ...active(VERA), log: [...(active(VERA, [], SAM).log ?? []), moved], seq: 3 }]);
  expect(calls(state).map(({ kind, chat }) => [kind, chat.uid])).toEqual([["passed", VERA]]);
  const answered = apply(state, { ...says(VERA, 4, "Hello", "operator"), operator: OLGA }, T);
  expect(calls(answered)).toEqual([]);
});

test("nobody is rung for while olga is away", () => {
  const a = attention();
  a.hear(availability(waits, false));
  expect(rang).toEqual([]);
  a.hear(availability(waits, true));
  expect(rang).toEqual(["waits"]);
});

test("a message is heard once, unless olga reads it as it comes", () => {
  const talk = open(here([active(VERA, ["a"])]), VERA);
  const more = apply(talk, says(VERA, 4, "b"), T);
  const a = attention();
  a.hear(talk);
  a.hear(more);
  a.hear(more);
  vi.advanceTimersByTime(3 * AGAIN_MS);
  expect(rang).toEqual(["wrote"]);
  looking = true;
  a.hear(apply(more, says(VERA, 5, "c"), T));
  expect(rang).toEqual(["wrote"]);
});

test("a notification says no name and no word, unless olga has chosen so (R-077)", () => {
  const tell = () => {
    const a = attention();
    a.hear(quiet);
    a.hear(waits);
    return told.splice(0);
  };
  expect(tell()).toEqual(["vera: A visitor is waiting. Open the console to answer."]);
  storage.clear();
  detail = true;
  expect(tell()).toEqual(["vera: Vera is waiting. I was in a crash"]);
  storage.clear();
  inFront = true;
  expect(tell()).toEqual([]);
});

test("after a reload nobody is notified of once more, but rung for", () => {
  const a = attention();
  a.hear(nothing);
  a.hear(waits);
  expect([told, rang]).toEqual([[], ["waits"]]);
});

test("a notification goes when its chat calls no more", () => {
  const a = attention();
  a.hear(quiet);
  a.hear(waits);
  expect(kept.at(-1)).toEqual([VERA]);
  a.hear(apply(waits, accepted(VERA, 3, SAM, "Sam") as never, T));
  expect(kept.at(-1)).toEqual([]);
});

test("title and icon count alike", () => {
  const both: State = apply(waits, { type: "chat_listed", chat: view(DANA) }, T);
  expect([titleOf(wanting(quiet)), titleOf(wanting(both))]).toEqual(["ChatLead", "(2) ChatLead"]);
  expect(iconOf(0, "/plain.svg")).toBe("/plain.svg");
  for (const [n, text] of [[2, ">2<"], [42, ">42<"], [100, ">99+<"]] as const) expect(decodeURIComponent(iconOf(n, ""))).toContain(text);
});

test("without locks of the browser one tab sounds by a note in the storage, and another when it has gone", () => {
  const [one, two] = [new Turn(box(), undefined), new Turn(box(), undefined)];
  expect([one.mine(T), two.mine(T), one.mine(T + AGAIN_MS)]).toEqual([true, false, true]);
  expect(two.mine(T + AGAIN_MS + 30_000)).toBe(true);
});
