import { expect, test } from "vitest";
import { COLUMNS, moved, SETS } from "./emoji.ts";

const all = SETS.flatMap(([, text]) => text.split(" "));

test("the sets are whole rows of single signs, none of them twice", () => {
  for (const [name, text] of SETS) expect(text.split(" ").length % COLUMNS, name).toBe(0);
  expect(new Set(all).size).toBe(all.length);
  const signs = new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const each of all) {
    expect([...signs.segment(each)], each).toHaveLength(1);
    expect(each).toMatch(/\p{Extended_Pictographic}|\p{Emoji_Presentation}/u);
  }
});

test.each([
  [0, "ArrowRight", 1], [7, "ArrowRight", 8], [1, "ArrowLeft", 0], [0, "ArrowLeft", 0],
  [3, "ArrowDown", 11], [11, "ArrowUp", 3], [3, "ArrowUp", 3], [all.length - 1, "ArrowDown", all.length - 1],
  [11, "Home", 8], [11, "End", 15], [5, "Tab", null], [5, "a", null],
])("from %i %s leads to %s", (at, key, to) => {
  expect(moved(at, key, all.length, false, false)).toBe(to);
});

test("right to left the arrows point the other way, up and down do not", () => {
  expect([moved(1, "ArrowRight", 16, true, false), moved(1, "ArrowLeft", 16, true, false), moved(1, "ArrowDown", 16, true, false)]).toEqual([0, 2, 9]);
});

test("Control with Home and End leads to the ends of all", () => {
  expect([moved(11, "Home", 96, false, true), moved(11, "End", 96, false, true)]).toEqual([0, 95]);
});
