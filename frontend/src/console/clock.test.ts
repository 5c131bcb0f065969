import { effect } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clock } from "./clock.ts";
import { waited } from "./words.ts";

const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
const turns = (to: "visible" | "hidden") => {
  page.visibilityState = to;
  page.dispatchEvent(new Event("visibilitychange"));
};
beforeEach(() => {
  vi.useFakeTimers();
  page.visibilityState = "visible";
});
afterEach(() => vi.useRealTimers());

test("the time waited goes on every second, stands in a tab that nobody sees, and is right when it is seen again (issue 4 D)", () => {
  const began = Date.now();
  const now = clock(page);
  const drawn: string[] = [];
  effect(() => void drawn.push(waited(now.value - began)));
  vi.advanceTimersByTime(2000);
  expect(drawn).toEqual(["0:00", "0:01", "0:02"]);
  turns("hidden");
  vi.advanceTimersByTime(60_000);
  expect(drawn).toHaveLength(3);
  turns("visible");
  expect(drawn.at(-1)).toBe(waited(60_000 + 2000));
  expect(drawn).toHaveLength(4);
  vi.advanceTimersByTime(1000);
  expect(drawn.at(-1)).toBe(waited(60_000 + 3000));
});
