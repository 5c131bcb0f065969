import { expect, test } from "vitest";
import { uuid7 } from "./uuid7.ts";

test("a ref is a UUID of version 7 that carries the time of its making", () => {
  const ref = uuid7(Date.UTC(2040, 0, 1));
  expect(ref).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(parseInt(ref.replaceAll("-", "").slice(0, 12), 16)).toBe(Date.UTC(2040, 0, 1));
});

test("refs made in one millisecond, or after the clock was set back, still sort in the order of their making", () => {
  const at = Date.UTC(2041, 0, 1);
  const refs = [uuid7(at), uuid7(at), uuid7(at - 60_000), uuid7(at)];
  expect([...refs].sort()).toEqual(refs);
  expect(new Set(refs).size).toBe(4);
});
