// Draws the icons of the installed console into static/img/: `node icons.mjs`. The result is committed; it is
// drawn anew only when the mark changes. The mark is that of the console's rail: a bubble with a dot in it.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";

const out = join(dirname(fileURLToPath(import.meta.url)), "..", "static", "img");
const ACCENT = [15, 95, 92];
const WHITE = [255, 255, 255];
const FINE = 4; // so many samples a side in each pixel

/** A square from -half to half with round corners, the bottom left one of its own. Positive is outside. */
function bubble(x, y, half, round, corner) {
  const r = x < 0 && y > 0 ? corner : round;
  const [dx, dy] = [Math.abs(x) - half + r, Math.abs(y) - half + r];
  return Math.min(Math.max(dx, dy), 0) + Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) - r;
}

/** The colour at a point of a square from -1 to 1, null for none. `full`: to the edges, for whoever cuts it. */
function colourAt(x, y, full) {
  const size = full ? 0.56 : 0.94; // within the circle of 80 % that nobody cuts away
  const inMark = bubble(x, y, size, size, size * 0.53) <= 0;
  const inDot = bubble(x, y, size * 0.44, size * 0.44, size * 0.1) <= 0;
  if (full) return inMark && !inDot ? WHITE : ACCENT;
  return inDot ? WHITE : inMark ? ACCENT : null;
}

function pixels(size, full) {
  const rows = Buffer.alloc(size * (1 + size * 4)); // each row begins with its filter: none
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const sum = [0, 0, 0];
      let covered = 0;
      for (let i = 0; i < FINE * FINE; i++) {
        const x = ((column + ((i % FINE) + 0.5) / FINE) / size) * 2 - 1;
        const y = ((row + (Math.floor(i / FINE) + 0.5) / FINE) / size) * 2 - 1;
        const colour = colourAt(x, y, full);
        if (!colour) continue;
        covered++;
        colour.forEach((value, c) => (sum[c] += value));
      }
      const at = row * (1 + size * 4) + 1 + column * 4;
      for (let c = 0; c < 3; c++) rows[at + c] = covered ? Math.round(sum[c] / covered) : 0;
      rows[at + 3] = Math.round((covered / (FINE * FINE)) * 255);
    }
  }
  return rows;
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ -1) >>> 0;
}

function chunk(kind, body) {
  const named = Buffer.concat([Buffer.from(kind, "latin1"), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

function png(size, full) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8); // eight bits a channel, red green blue alpha
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(pixels(size, full), { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

const hex = `#${ACCENT.map((n) => n.toString(16).padStart(2, "0")).join("")}`;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M16 1a15 15 0 0 1 0 30H9a8 8 0 0 1-8-8v-7A15 15 0 0 1 16 1z" fill="${hex}"/><path d="M16 9.4a6.6 6.6 0 0 1 0 13.2h-5.1a1.5 1.5 0 0 1-1.5-1.5V16A6.6 6.6 0 0 1 16 9.4z" fill="#fff"/></svg>\n`;

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "app.svg"), svg);
for (const size of [192, 512]) writeFileSync(join(out, `app-${size}.png`), png(size, false));
writeFileSync(join(out, "app-maskable-512.png"), png(512, true));
writeFileSync(join(out, "app-180.png"), png(180, true));
