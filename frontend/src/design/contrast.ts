/** Colours as sRGB triples and their contrast as WCAG 2.2 defines it. */

export type Rgb = readonly [number, number, number];

/** Reads `#rgb` or `#rrggbb`; null for anything else, so that a setting that is no colour changes nothing. */
export function parseHex(text: string): Rgb | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text.trim());
  const hex = short ? `#${short.slice(1).map((c) => c + c).join("")}` : text.trim();
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  return long ? [parseInt(long[1]!, 16), parseInt(long[2]!, 16), parseInt(long[3]!, 16)] : null;
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** 1 (the same) to 21 (black on white). */
export function contrast(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** White or black, whichever is read more easily on `background`. One of the two always reaches 4.5. */
export function onColour(background: Rgb): string {
  const ink: Rgb = [0, 0, 0];
  return contrast(background, [255, 255, 255]) >= Math.min(4.5, contrast(background, ink)) ? "#ffffff" : "#000000";
}

/** `colour` moved step by step towards black or white until it stands out from `surface` (4.5 : 1 for text, 3 for controls). */
export function readableOn(colour: Rgb, surface: Rgb, least = 4.5): string {
  const towards = luminance(surface) > 0.4 ? 0 : 255;
  let c = colour;
  for (let i = 0; i < 20 && contrast(c, surface) < least; i++) {
    c = c.map((v) => Math.round(v + (towards - v) * 0.12)) as unknown as Rgb;
  }
  return `#${c.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}
