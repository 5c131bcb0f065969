import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Bridge, Refused } from "./bridge.ts";

const HOST = "https://shop.test";
let said: { message: { type: string }; to: string }[];
let parent: { postMessage: (message: { type: string }, to: string) => void };
let view: EventTarget & { parent: unknown };
let opened: boolean[];
let bridge: Bridge;

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  opened = [];
  parent = { postMessage: (message, to) => said.push({ message, to }) };
  view = Object.assign(new EventTarget(), { parent });
  bridge = new Bridge(view as unknown as Window, (open) => opened.push(open));
});
afterEach(() => vi.useRealTimers());

function hears(data: unknown, origin = HOST, source: unknown = parent) {
  view.dispatchEvent(Object.assign(new Event("message"), { data, origin, source }));
}
const init = { chatlead: 1, type: "init", browser: "b1", url: "https://shop.test/x", open: true };

test("the frame says nothing before the loader has spoken, and then only to that origin (P-2)", async () => {
  bridge.tell({ chatlead: 1, type: "close" });
  expect(said).toEqual([]);
  const admission = bridge.admission();
  hears(init);
  await vi.advanceTimersByTimeAsync(0);
  expect(said).toEqual([{ message: { chatlead: 1, type: "ticket" }, to: HOST }]);
  hears({ chatlead: 1, type: "ticket", ticket: "t1" });
  expect(await admission).toEqual({ origin: HOST, browser: "b1", url: "https://shop.test/x", ticket: "t1" });
  expect(opened).toEqual([true]);
});

test("the embedder's name is the browser's, not what the message claims", async () => {
  const admission = bridge.admission();
  hears({ ...init, origin: "https://good.test" }, "https://evil.test");
  await vi.advanceTimersByTimeAsync(0);
  hears({ chatlead: 1, type: "ticket", ticket: "planted" }, "https://evil.test");
  expect((await admission).origin).toBe("https://evil.test");
});

test("other windows are not heard, nor is the parent under another origin (P-2)", () => {
  hears(init, HOST, { other: "window" });
  hears(init, HOST, null);
  expect(opened).toEqual([]);
  hears(init);
  hears({ chatlead: 1, type: "close" }, "https://evil.test");
  hears({ chatlead: 1, type: "close" }, HOST, {});
  expect(opened).toEqual([true]);
  hears({ chatlead: 1, type: "close" });
  expect(opened).toEqual([true, false]);
});

test.each([null, undefined, 0, "init", [], {}, { chatlead: 2, type: "init" }, { type: "init" }, { chatlead: 1 }, { chatlead: 1, type: "eval" }, { chatlead: 1, type: "open" }])("the message %j before the greeting does nothing", (data) => {
  expect(() => hears(data)).not.toThrow();
  expect(opened).toEqual([]);
});

test("what is too long or no text is left out", async () => {
  const admission = bridge.admission();
  hears({ ...init, browser: "x".repeat(999), url: { toString: () => "x" } });
  await vi.advanceTimersByTimeAsync(0);
  hears({ chatlead: 1, type: "ticket", ticket: "t" });
  expect(await admission).toMatchObject({ browser: "", url: "" });
});

test("without a ticket, or without an answer, there is no admission", async () => {
  hears(init);
  const refused = expect(bridge.admission()).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(0);
  hears({ chatlead: 1, type: "ticket", ticket: "" });
  await refused;
  const silent = expect(bridge.admission()).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(20_000);
  await silent;
});

test("a frame that is opened as a page of its own talks to nobody", () => {
  const alone = Object.assign(new EventTarget(), { parent: null as unknown });
  alone.parent = alone;
  new Bridge(alone as unknown as Window, (open) => opened.push(open));
  alone.dispatchEvent(Object.assign(new Event("message"), { data: init, origin: HOST, source: alone }));
  expect(opened).toEqual([]);
});

test("a page that is to have no chat is told from a line that is bad", async () => {
  hears(init);
  const refused = bridge.admission();
  await vi.advanceTimersByTimeAsync(0);
  hears({ chatlead: 1, type: "ticket", ticket: "", refused: true });
  await expect(refused).rejects.toBeInstanceOf(Refused);
  const unlucky = bridge.admission();
  await vi.advanceTimersByTimeAsync(0);
  hears({ chatlead: 1, type: "ticket", ticket: "" });
  await expect(unlucky).rejects.not.toBeInstanceOf(Refused);
});
