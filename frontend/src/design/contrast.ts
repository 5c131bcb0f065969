/** Colours as sRGB triples and their contrast as WCAG 2.2 defines it. */

export type Rgb = readonly [number, number, number];

/** Reads `#rgb` or `#rrggbb`; null for anything else, so that a setting that is no colour changes nothing. */
export function parseHex(text: string): Rgb | null {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (!digits) return null;
  const n = parseInt(digits.length < 6 ? digits.replace(/./g, "$&$&") : digits, 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
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
  const [one, other] = [luminance(a), luminance(b)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** White or black, whichever is read more easily on `background`. One of the two always reaches 4.5. */
export function onColour(background: Rgb): string {
  // White wherever it reaches 4.5; where it does not, black is the better of the two.
  return luminance(background) <= 1.05 / 4.5 - 0.05 ? "#ffffff" : "#000000";
}

/**
 * `colour` made darker or lighter, its hue kept, until it stands out from `surface` (4.5 : 1 for text, 3 for
 * controls).
 */
export function readableOn(colour: Rgb, surface: Rgb, least = 4.5): string {
  const step = luminance(surface) > 0.4 ? -0.01 : 0.01;
  const [h, s, l] = toHsl(colour);
  let c = colour;
  for (let i = 1; i <= 100 && contrast(c, surface) < least; i++) c = fromHsl(h, s, Math.min(1, Math.max(0, l + step * i)));
  return `#${c.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

function toHsl(rgb: Rgb): [number, number, number] {
  const [r, g, b] = rgb.map((v) => v / 255) as [number, number, number];
  const high = Math.max(r, g, b);
  const low = Math.min(r, g, b);
  const l = (high + low) / 2;
  const d = high - low;
  if (!d) return [0, 0, l];
  const h = high === r ? ((g - b) / d) % 6 : high === g ? (b - r) / d + 2 : (r - g) / d + 4;
  return [h, d / (1 - Math.abs(2 * l - 1)), l];
}

function fromHsl(h: number, s: number, l: number): Rgb {
  const a = s * Math.min(l, 1 - l);
  const part = (n: number) => {
    const k = (n + h * 2 + 24) % 12;
    return Math.round(255 * (l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}
