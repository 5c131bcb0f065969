import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Events, install, installed } from "./queue.ts";

let said: unknown[];
beforeEach(() => {
  said = [];
  vi.spyOn(console, "error").mockImplementation((e) => void said.push(e));
});
afterEach(() => vi.restoreAllMocks());

type Page = { ChatLead?: unknown };
const push = (page: Page, ...calls: unknown[]) => (page.ChatLead as { push: (...c: unknown[]) => number }).push(...calls);

test("what a page pushed before the load is carried out, in order, and what it pushes later too (R-003)", () => {
  const done: string[] = [];
  const page: Page = { ChatLead: [["open"], ["hide", 1]] };
  install(page, { open: () => done.push("open"), hide: (n) => done.push(`hide ${String(n)}`) });
  push(page, ["open"], ["hide", 2]);
  expect(done).toEqual(["open", "hide 1", "open", "hide 2"]);
});

test("a second snippet finds the first one running", () => {
  const page: Page = {};
  expect(installed(page)).toBe(false);
  install(page, {});
  expect(installed(page)).toBe(true);
  expect(installed({ ChatLead: [] })).toBe(false);
});

test("whatever nonsense a page pushes, nothing is thrown back into it", () => {
  const page: Page = { ChatLead: [null, "open", 7, ["nothing like that"], ["constructor"], ["__proto__"], [{}], [], ["bad"]] };
  install(page, { bad: () => { throw new Error("ours"); } });
  expect(() => push(page, undefined, [["open"]], ["toString"])).not.toThrow();
  expect(said).toHaveLength(1);
});

test("a page's own global of that name is not taken for our queue", () => {
  const page: Page = { ChatLead: { push: "something else" } };
  expect(() => install(page, {})).not.toThrow();
});

test("listeners hear events until they are taken off, and one that throws disturbs nobody", () => {
  const heard: unknown[] = [];
  const events = new Events();
  const listener = (d: unknown) => heard.push(d);
  events.on("unread", () => { throw new Error("the page's"); });
  events.on("unread", listener);
  events.emit("unread", { count: 2 });
  events.off("unread", listener);
  events.emit("unread", { count: 3 });
  expect(heard).toEqual([{ count: 2 }]);
  expect(said).toHaveLength(2);
});

test("who listens for ready after it happened is told at once", () => {
  const events = new Events();
  let ready = 0;
  events.on("ready", () => ready++);
  events.emit("ready");
  events.on("ready", () => ready++);
  expect(ready).toBe(2);
});

test("a listener that is no function is passed over", () => {
  const events = new Events();
  events.on("open", "alert(1)");
  events.on(5, () => {});
  expect(() => events.emit("open")).not.toThrow();
});
