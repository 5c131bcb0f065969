import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contrast, onColour, parseHex, readableOn, type Rgb } from "./contrast.ts";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

function roles(block: string): Map<string, Rgb> {
  const found = new Map<string, Rgb>();
  for (const [, name, value] of block.matchAll(/--([a-z0-9-]+):\s*(#[0-9a-f]{6})\s*;/g)) {
    found.set(name!, parseHex(value!)!);
  }
  return found;
}

const [lightCss, darkCss] = css.split("@media (prefers-color-scheme: dark)") as [string, string];
const schemes = { light: roles(lightCss), dark: roles(darkCss) };

const surfaces = ["surface", "surface-raised", "surface-sunken"];
const text: [string, string][] = [
  ...surfaces.flatMap((s): [string, string][] => [
    ["text", s], ["text-muted", s], ["accent-text", s], ["good", s], ["warn", s], ["bad", s],
  ]),
  ["surface", "text"], // a toast
  ["on-accent", "accent"], ["on-accent", "accent-hover"], ["on-bad", "bad"], ["on-bad", "bad-hover"],
  ["on-visitor", "visitor"], ["on-operator", "operator"], ["on-note", "note"],
  ["text", "accent-soft"], ["accent-text", "accent-soft"], ["text-muted", "accent-soft"],
  ["good", "good-soft"], ["warn", "warn-soft"], ["bad", "bad-soft"],
  ["text", "good-soft"], ["text", "warn-soft"], ["text", "bad-soft"],
  ...[1, 2, 3, 4, 5, 6].map((n): [string, string] => ["on-tint", `tint-${n}`]),
];
const controls: [string, string][] = surfaces.flatMap((s): [string, string][] => [["line-strong", s], ["focus", s], ["accent", s]]);

describe.each(Object.entries(schemes))("in the %s scheme", (_name, colours) => {
  test.each(text)("--%s can be read as text on --%s", (front, back) => {
    expect(contrast(colours.get(front)!, colours.get(back)!)).toBeGreaterThanOrEqual(4.5);
  });
  test.each(controls)("--%s can be seen as the edge of a control on --%s", (front, back) => {
    expect(contrast(colours.get(front)!, colours.get(back)!)).toBeGreaterThanOrEqual(3);
  });
});

test("every text that a rule puts on a surface is one of those pairs", () => {
  const known = new Set(text.flatMap(([a, b]) => [`${a} on ${b}`, `${b} on ${a}`])); // it is the same both ways
  const found = new Set<string>();
  for (const file of ["components.css", "wide.css", "pages.css", "../chat/chat.css", "../console/console.css", "../console/lists.css", "../console/pane.css", "../pages/gallery.css"]) {
    const rules = readFileSync(new URL(file, import.meta.url), "utf8").matchAll(/\{([^{}]*)\}/g);
    for (const [, rule] of rules) {
      const front = /(?:^|[\s;])color: var\(--([a-z0-9-]+)\)/.exec(rule!)?.[1];
      const back = /background(?:-color)?: var\(--([a-z0-9-]+)\)/.exec(rule!)?.[1];
      if (front && back) found.add(`${front} on ${back}`);
    }
  }
  expect(found.size).toBeGreaterThan(12);
  expect([...found].filter((pair) => !known.has(pair))).toEqual([]);
});

test("every colour role has a light and a dark value", () => {
  expect([...schemes.dark.keys()].sort()).toEqual([...schemes.light.keys()].sort());
});

test("whatever accent a site chooses, the text on it can be read", () => {
  for (const hex of ["#ffffff", "#000000", "#ffcc00", "#777777", "#0b66d0", "#ff0000", "#6cc4bc", "#8a8a00"]) {
    const accent = parseHex(hex)!;
    expect(contrast(accent, parseHex(onColour(accent))!), hex).toBeGreaterThanOrEqual(4.5);
  }
});

test("an accent too pale or too dark for links is moved until it can be read", () => {
  for (const surface of ["#ffffff", "#171614"]) {
    for (const hex of ["#ffffff", "#000000", "#ffcc00", "#1b2a49", "#777777"]) {
      const moved = parseHex(readableOn(parseHex(hex)!, parseHex(surface)!))!;
      expect(contrast(moved, parseHex(surface)!), `${hex} on ${surface}`).toBeGreaterThanOrEqual(4.5);
    }
  }
});

test("a setting that is no colour is not taken for one", () => {
  expect(parseHex("red; background: url(x)")).toBeNull();
  expect(parseHex("#12")).toBeNull();
});

test("a firm's navy stays a blue in the dark, not a grey", () => {
  const [r, , b] = parseHex(readableOn(parseHex("#1b2a49")!, parseHex("#171614")!, 3))!;
  expect(b - r).toBeGreaterThan(50);
});
