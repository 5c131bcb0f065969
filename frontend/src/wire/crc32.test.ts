import { expect, test } from "vitest";
import { crc32 } from "./crc32.ts";

test("the digest is the one that zlib computes", () => {
  expect(crc32("")).toBe(0);
  expect(crc32("123456789")).toBe(0xcbf43926);
  expect(crc32("The quick brown fox jumps over the lazy dog")).toBe(0x414fa339);
  expect(crc32("李 O'Brien")).toBe(0x79da12e8);
});
