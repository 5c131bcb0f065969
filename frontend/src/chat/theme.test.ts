import { expect, test } from "vitest";
import { contrast, parseHex } from "../design/contrast.ts";
import { accentRoles } from "./theme.ts";

const hex = (h: string | undefined) => parseHex(h!)!;

test.each(["#1b2a49", "#ffffff", "#000000", "#ffcc00", "#d0e8ff", "#7a0019", "#777777"])("with the site's accent %s everything can still be read", (brand) => {
  for (const [scheme, surface] of [["light", "#fbfaf8"], ["dark", "#171614"]] as const) {
    const r = accentRoles(brand, scheme);
    expect(contrast(hex(r["--on-accent"]), hex(r["--accent"]))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(hex(r["--on-accent"]), hex(r["--accent-hover"]))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(hex(r["--accent"]), hex(surface))).toBeGreaterThanOrEqual(3);
    expect(contrast(hex(r["--accent-text"]), hex(surface))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(hex(r["--accent-text"]), hex(r["--accent-soft"]))).toBeGreaterThanOrEqual(4.5);
  }
});

test("a setting that is no colour leaves the design's own accent", () => {
  expect(accentRoles("url(https://evil.test)", "light")).toEqual({});
});
