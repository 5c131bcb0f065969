import { expect, test } from "vitest";
import { backoff } from "./backoff.ts";

test("the longest wait doubles from half a second and stops at thirty", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 7, 100, 5000].map((n) => backoff(n, () => 1));
  expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
});

test("who may not stay away for long waits no longer than that", () => {
  expect([0, 4, 100].map((n) => backoff(n, () => 1, 500, 5_000))).toEqual([500, 5_000, 5_000]);
});

test("a thousand clients that were cut at once spread over the whole span", () => {
  const waits = Array.from({ length: 1000 }, () => backoff(5));
  const tenths = new Set(waits.map((w) => Math.floor(w / 1600)));
  expect(tenths.size).toBe(10);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(100);
});

test("nobody comes back in the same moment, however lucky", () => {
  expect([0, 3, 100].map((n) => backoff(n, () => 0))).toEqual([100, 100, 100]);
});
