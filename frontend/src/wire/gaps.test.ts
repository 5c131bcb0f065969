import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Sequence } from "./gaps.ts";

let applied: number[];
let asked: number[];
let log: Sequence<{ seq: number }>;

beforeEach(() => {
  vi.useFakeTimers();
  applied = [];
  asked = [];
  log = new Sequence(0, (r) => applied.push(r.seq), (after) => asked.push(after));
});
afterEach(() => vi.useRealTimers());
const take = (...seqs: number[]) => seqs.forEach((seq) => log.take({ seq }));

test("rows that come in order are shown at once", () => {
  take(1, 2, 3);
  expect(applied).toEqual([1, 2, 3]);
  vi.advanceTimersByTime(1000);
  expect(asked).toEqual([]);
});

test("a row that overtook another waits for it, and nobody is asked", () => {
  take(1, 3, 4);
  expect(applied).toEqual([1]);
  vi.advanceTimersByTime(200);
  take(2);
  expect(applied).toEqual([1, 2, 3, 4]);
  vi.advanceTimersByTime(1000);
  expect(asked).toEqual([]);
});

test("a gap that stays open for 300 ms is asked for once, from where it begins", () => {
  take(1, 3, 5);
  vi.advanceTimersByTime(300);
  expect(asked).toEqual([1]);
  take(2, 3, 4, 5);
  expect(applied).toEqual([1, 2, 3, 4, 5]);
});

test("a row that comes twice is shown once", () => {
  take(1, 1, 2, 1, 2, 3, 3);
  expect(applied).toEqual([1, 2, 3]);
});

test("a later gap is asked for too", () => {
  take(1, 3);
  vi.advanceTimersByTime(300);
  take(2, 5);
  vi.advanceTimersByTime(300);
  expect(asked).toEqual([1, 3]);
});

test("when the server stands further than the last row, the rest is asked for", () => {
  take(1);
  log.expect(1);
  vi.advanceTimersByTime(400);
  expect(asked).toEqual([]);
  log.expect(4);
  vi.advanceTimersByTime(400);
  expect(asked).toEqual([1]);
});

test("a gap that is not answered is asked for again with the next sign of it", () => {
  take(2);
  vi.advanceTimersByTime(300);
  take(3);
  vi.advanceTimersByTime(300);
  expect(asked).toEqual([0, 0]);
});

test("a snapshot sets the place and forgets what was held", () => {
  take(1, 4);
  log.restart(10);
  vi.advanceTimersByTime(1000);
  take(4, 11);
  expect(applied).toEqual([1, 11]);
  expect(asked).toEqual([]);
});
