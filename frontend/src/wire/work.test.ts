import { createHash, webcrypto } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { worked } from "./work.ts";

afterEach(() => vi.unstubAllGlobals());

test.each([1, 8, 12])("the number that is found gives %i zero bits, as the server counts them (D-2)", async (bits) => {
  const task = `1760000000.${bits}.${"ab".repeat(32)}`;
  const answer = await worked(task);
  expect(answer.startsWith(`${task}.`)).toBe(true);
  const digest = BigInt("0x" + createHash("sha256").update(answer).digest("hex"));
  expect(digest >> BigInt(256 - bits)).toBe(0n);
});

/** As Chromium digests a few bytes: before the call returns. */
const atOnce = {
  digest: (_: string, data: Uint8Array) => Promise.resolve(new Uint8Array(createHash("sha256").update(data).digest()).buffer),
};

test.each([["beside the page", webcrypto.subtle], ["at once", atOnce]])("the page goes on where a browser digests %s (D-2)", async (_, subtle) => {
  vi.stubGlobal("crypto", { subtle });
  let turns = 0;
  const beat = setInterval(() => turns++, 1);
  await worked(`1760000000.14.${"cd".repeat(32)}`);
  clearInterval(beat);
  expect(turns).toBeGreaterThan(1);
});
