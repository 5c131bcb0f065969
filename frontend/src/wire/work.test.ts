import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { worked } from "./work.ts";

test.each([1, 8, 12])("the number that is found gives %i zero bits, as the server counts them (D-2)", async (bits) => {
  const task = `1760000000.${bits}.${"ab".repeat(32)}`;
  const answer = await worked(task);
  expect(answer.startsWith(`${task}.`)).toBe(true);
  const digest = BigInt("0x" + createHash("sha256").update(answer).digest("hex"));
  expect(digest >> BigInt(256 - bits)).toBe(0n);
});

test("the page goes on while the work is done (D-2)", async () => {
  let turns = 0;
  const beat = setInterval(() => turns++, 1);
  let longest = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await worked(`1760000000.13.${"cd".repeat(32)}`);
  clearInterval(beat);
  clearInterval(watch);
  expect(turns).toBeGreaterThan(0);
  expect(longest).toBeLessThan(500);
});
