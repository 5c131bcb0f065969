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

test("whatever colour a site chooses, all that is written in it can be read, in both schemes", () => {
  const surfaces = { light: ["#fbfaf8", "#ffffff", "#f3f1ec"], dark: ["#171614", "#211f1c", "#100f0e"] };
  let seed = 20261123;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647; // the same colours each time
  const some = Array.from({ length: 1500 }, () => `#${Math.floor(random() * 0x1000000).toString(16).padStart(6, "0")}`);
  const text = { light: "#211f1b", dark: "#efece6" };
  const muted = { light: "#67625a", dark: "#aba59a" };
  const worst: Record<string, [number, string]> = {};
  for (const colour of [...some, "#000000", "#ffffff", "#808080", "#777777", "#ffff00", "#00ff00", "#0000ff"]) {
    for (const scheme of ["light", "dark"] as const) {
      const roles = accentRoles(colour, scheme);
      const see = (name: string, front: string, back: string) => {
        const found = contrast(parseHex(front)!, parseHex(back)!);
        if (!worst[name] || found < worst[name][0]) worst[name] = [found, `${colour} ${scheme}`];
      };
      see("text on the accent", roles["--on-accent"]!, roles["--accent"]!);
      see("text on it under the pointer", roles["--on-accent"]!, roles["--accent-hover"]!);
      see("text on the soft accent", text[scheme], roles["--accent-soft"]!);
      see("muted text on the soft accent", muted[scheme], roles["--accent-soft"]!);
      see("a link on the soft accent", roles["--accent-text"]!, roles["--accent-soft"]!);
      for (const surface of surfaces[scheme]) {
        see("a link", roles["--accent-text"]!, surface);
        see("a control's edge", roles["--accent"]!, surface);
      }
    }
  }
  for (const [name, [found, where]] of Object.entries(worst)) expect(found, `${name}: ${where}`).toBeGreaterThanOrEqual(name === "a control's edge" ? 3 : 4.5);
  expect(Object.keys(worst)).toHaveLength(7);
});
