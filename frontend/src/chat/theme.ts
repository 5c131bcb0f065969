/** The site's own accent over the roles of the design, in both schemes, never at the cost of reading. */
import { onColour, parseHex, readableOn, type Rgb } from "../design/contrast.ts";

const SURFACES = { light: [251, 250, 248] as Rgb, dark: [23, 22, 20] as Rgb };
/** The surface on which an accent stands out least: `--surface-sunken`, `--surface-raised`. */
const HARDEST = { light: [243, 241, 236] as Rgb, dark: [33, 31, 28] as Rgb };
const SOFT = 0.1;
const mix = (a: Rgb, b: Rgb, share: number): string =>
  `#${a.map((v, i) => Math.round(v * share + b[i]! * (1 - share)).toString(16).padStart(2, "0")).join("")}`;

/** Roles and their values for one scheme; empty when the setting is no colour. */
export function accentRoles(setting: string, scheme: "light" | "dark"): Record<string, string> {
  const brand = parseHex(setting);
  if (!brand) return {};
  const surface = SURFACES[scheme];
  const accent = readableOn(brand, HARDEST[scheme], 3);
  const fill = parseHex(accent)!;
  const on = onColour(fill);
  return {
    "--accent": accent,
    "--accent-hover": mix(fill, on === "#ffffff" ? [0, 0, 0] : [255, 255, 255], 0.86),
    "--on-accent": on,
    "--accent-text": readableOn(brand, parseHex(mix(fill, HARDEST[scheme], SOFT))!),
    "--accent-soft": mix(fill, surface, SOFT),
  };
}

export function applyAccent(setting: string, root: HTMLElement, dark: MediaQueryList): void {
  const paint = () => {
    for (const [role, value] of Object.entries(accentRoles(setting, dark.matches ? "dark" : "light"))) root.style.setProperty(role, value);
  };
  paint();
  dark.onchange = paint;
}
