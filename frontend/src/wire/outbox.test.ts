import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Outbox, type Unsent } from "./outbox.ts";
import { Box } from "./storage.ts";
import { browserStorage } from "./storage.test-kit.ts";

let tab: Storage;
let wire: Unsent[];
let online: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  tab = browserStorage();
  wire = [];
  online = true;
});
afterEach(() => vi.useRealTimers());

function open(): Outbox {
  const send = (i: Unsent) => online && wire.push(i) > 0;
  return new Outbox(new Box(() => tab, "cl"), send, () => {});
}
const texts = () => wire.map((i) => i.text);

test("messages leave in the order of writing, the next when the last was acknowledged", () => {
  const out = open();
  const one = out.add("c1", "one");
  out.add("c1", "two");
  expect(texts()).toEqual(["one"]);
  out.acked(one.ref);
  expect(texts()).toEqual(["one", "two"]);
});

test("two chats do not wait for each other", () => {
  const out = open();
  out.add("c1", "to dana");
  out.add("c2", "to sam");
  expect(texts()).toEqual(["to dana", "to sam"]);
});

test("three messages written without a network leave once each, in order, when it is back (R-007)", () => {
  online = false;
  const out = open();
  for (const t of ["one", "two", "three"]) out.add("c1", t);
  expect(wire).toEqual([]);
  online = true;
  out.reconnected();
  while (out.all.length) out.acked(wire.at(-1)!.ref);
  expect(texts()).toEqual(["one", "two", "three"]);
});

test("a message whose ack was lost is sent again with the same ref", () => {
  const out = open();
  const { ref } = out.add("c1", "hello");
  out.reconnected();
  expect(wire.map((i) => i.ref)).toEqual([ref, ref]);
});

test("unsent text survives a reload, sent text is gone from the storage (R-123)", () => {
  const out = open();
  const one = out.add("c1", "sent");
  out.acked(one.ref);
  out.add("c1", "unsent");
  expect([...Array(tab.length)].map((_, i) => tab.getItem(tab.key(i)!)).join()).not.toContain('"sent"');
  wire = [];
  const after = open();
  after.reconnected();
  expect(texts()).toEqual(["unsent"]);
  after.acked(wire[0]!.ref);
  expect(tab.length).toBe(0);
});

test("a refused message stays with its reason, the next goes on, and a retry sends the same ref", () => {
  const out = open();
  const bad = out.add("c1", "bad");
  out.add("c1", "good");
  out.refused(bad.ref, "too_long");
  expect(texts()).toEqual(["bad", "good"]);
  expect(out.of("c1").map((i) => i.failed)).toEqual(["too_long", ""]);
  out.acked(wire[1]!.ref);
  out.retry(bad.ref);
  expect(wire.at(-1)!.ref).toBe(bad.ref);
});

test("told to slow down, it waits as long as it was told and then goes on in order", () => {
  const out = open();
  const one = out.add("c1", "one");
  out.add("c1", "two");
  out.refused(one.ref, "rate_limited", 2000);
  vi.advanceTimersByTime(1900);
  expect(texts()).toEqual(["one"]);
  vi.advanceTimersByTime(200);
  expect(texts()).toEqual(["one", "one"]);
});

test("an ack for something unknown, or twice, changes nothing", () => {
  const out = open();
  const one = out.add("c1", "one");
  out.acked("somebody else's");
  out.acked(one.ref);
  out.acked(one.ref);
  expect(out.all).toEqual([]);
  expect(texts()).toEqual(["one"]);
});

test("a storage full of something else is an empty outbox", () => {
  tab.setItem("cl:outbox", '{"not": "a list"}');
  expect(open().all).toEqual([]);
  tab.setItem("cl:outbox", "][");
  expect(open().all).toEqual([]);
});

test("what came too late for a chat that has ended leaves the storage, not the screen (R-123)", () => {
  const out = open();
  const { ref } = out.add("c1", "canary");
  expect(tab.length).toBe(1);
  out.refused(ref, "chat_closed");
  expect(out.all.map((i) => i.text)).toEqual(["canary"]);
  expect(tab.length).toBe(0);
});
