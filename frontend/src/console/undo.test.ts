import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Outbox, type Unsent } from "../wire/outbox.ts";
import { Box } from "../wire/storage.ts";
import { browserStorage } from "../wire/storage.test-kit.ts";
import { Preferences } from "./preferences.ts";
import { Undo } from "./undo.ts";

let storage: Storage;
let wire: Unsent[];
let online: boolean;
let out: Outbox;
let undo: Undo;

function begins(): void {
  undo = new Undo(() => out);
  out = new Outbox(new Box(() => storage, "cl"), (i) => online && wire.push(i) > 0, () => {}, ({ ref }) => undo.holds(ref));
}
const say = (chat: string, text: string, ms = 5_000) => out.add(chat, text, (ref) => undo.hold(ref, ms));
const texts = () => wire.map((i) => i.text);

beforeEach(() => {
  vi.useFakeTimers();
  storage = browserStorage();
  wire = [];
  online = true;
  begins();
});
afterEach(() => vi.useRealTimers());

test("a reply goes out when its time is over, and not before", () => {
  say("c1", "one");
  vi.advanceTimersByTime(4_900);
  expect(texts()).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(texts()).toEqual(["one"]);
  expect(undo.until.value.size).toBe(0);
});

test("what is written after a held one waits for it, in its chat only", () => {
  const first = say("c1", "one");
  out.add("c1", "two");
  out.add("c2", "elsewhere");
  expect(texts()).toEqual(["elsewhere"]);
  vi.advanceTimersByTime(5_000);
  out.acked(first.ref);
  expect(texts()).toEqual(["elsewhere", "one", "two"]);
});

test("one that was taken back is never sent, and lets the next go", () => {
  const first = say("c1", "one");
  const second = say("c1", "two");
  out.remove(first.ref);
  undo.release([first.ref]);
  vi.advanceTimersByTime(5_000);
  expect(texts()).toEqual(["two"]);
  expect(wire[0]?.ref).toBe(second.ref);
});

test("a reload finds it in the outbox and sends it at once, under the same ref", () => {
  const { ref } = say("c1", "one");
  begins();
  out.reconnected();
  expect(wire.map((i) => [i.ref, i.text])).toEqual([[ref, "one"]]);
});

test("without a line it is kept, and goes out when there is one", () => {
  online = false;
  say("c1", "one");
  vi.advanceTimersByTime(60_000);
  expect([texts(), out.of("c1").length]).toEqual([[], 1]);
  online = true;
  out.reconnected();
  expect(texts()).toEqual(["one"]);
});

test("a page that goes sends all in their order, without waiting for acks", () => {
  out.add("c1", "on its way");
  say("c1", "one");
  say("c1", "two");
  undo.release();
  out.last();
  expect(texts()).toEqual(["on its way", "one", "two"]);
});

test("before a chat ends or goes on, what is held of it is out; after a while without an ack it ends all the same", async () => {
  const { ref } = say("c1", "goodbye");
  say("c2", "later");
  let settled = false;
  void undo.settle("c1").then(() => (settled = true));
  expect(texts()).toEqual(["goodbye"]);
  await vi.advanceTimersByTimeAsync(100);
  expect(settled).toBe(false);
  out.acked(ref);
  await vi.advanceTimersByTimeAsync(50);
  expect(settled).toBe(true);
  say("c1", "unheard");
  let gaveUp = false;
  void undo.settle("c1").then(() => (gaveUp = true));
  await vi.advanceTimersByTimeAsync(3_100);
  expect(gaveUp).toBe(true);
});

test("what olga chose is hers, in all tabs, and what is no choice is none", () => {
  const box = () => new Box(() => storage, "console");
  const [here, there, sams] = [new Preferences(box(), "olga"), new Preferences(box(), "olga"), new Preferences(box(), "sam")];
  here.undoFor(10);
  here.mute(true);
  here.loudness(30);
  here.closeTogether(true);
  there.read();
  sams.read();
  expect([there.undo.value, there.muted.value, there.volume.value, there.compact.value]).toEqual([10, true, 30, true]);
  expect([sams.undo.value, sams.muted.value, sams.volume.value, sams.detail.value, sams.compact.value]).toEqual([0, false, 70, false, false]);
  box().set("olga.undo", "86400");
  box().set("olga.volume", "NaN");
  there.read();
  expect([there.undo.value, there.volume.value]).toEqual([0, 70]);
});
