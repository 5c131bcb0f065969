import { expect, test } from "vitest";
import { reloadOnce, understood } from "./renewal.ts";

function memory(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
}

test("a page that is too old reloads itself once, and again only after it was understood", () => {
  const box = memory();
  let count = 0;
  const attempt = () => reloadOnce(() => box, () => count++);
  expect([attempt(), attempt(), attempt()]).toEqual([true, false, false]);
  understood(() => box);
  expect(attempt()).toBe(true);
  expect(count).toBe(2);
});

test("where nothing can be kept it does not reload for ever", () => {
  let count = 0;
  const blocked = () => {
    throw new DOMException("blocked", "SecurityError");
  };
  expect(reloadOnce(blocked, () => count++)).toBe(false);
  understood(blocked);
  const forgetful = { getItem: () => null, setItem: () => {} } as unknown as Storage;
  expect(reloadOnce(() => forgetful, () => count++)).toBe(false);
  expect(count).toBe(0);
});
