import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Desk } from "./desk.ts";
import { PATIENCE_MS, Tools } from "./tools-loader.ts";

let page: EventTarget;
let told: number;
/** A module that never comes, as over a line that is dead and does not say so. */
const NEVER = "data:text/javascript,await new Promise(() => {})//";

beforeEach(() => {
  vi.useFakeTimers();
  page = new EventTarget();
  told = 0;
  vi.stubGlobal("window", page);
  vi.stubGlobal("TOOLS_FILE", NEVER);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const tools = () => new Tools({} as Desk, () => told++);
/** Whether what is typed comes through to the page. */
function types(key: string): boolean {
  return page.dispatchEvent(Object.assign(new Event("keydown", { cancelable: true }), { key }));
}

test("over a dead line the palette gives the keys back and says why it does not come", async () => {
  const opening = tools().open("palette");
  expect(types("a")).toBe(false);
  await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
  expect([types("b"), told]).toEqual([false, 0]);
  await vi.advanceTimersByTimeAsync(1);
  await opening;
  expect([types("c"), told]).toEqual([true, 1]);
});

test("the list of keys takes none away while it is fetched", async () => {
  const opening = tools().open("keys");
  expect(types("a")).toBe(true);
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  await opening;
});
