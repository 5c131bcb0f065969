/** UUIDv7 (RFC 9562): 48 bits of milliseconds, then random. Made by the client for each send. */

let last = 0;

/** Grows with every call on this page, even when the clock stands still or is set back. */
export function uuid7(now: number = Date.now()): string {
  last = Math.max(now, last + 1);
  const b = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0, t = last; i < 6; i++, t = Math.floor(t / 256)) b[5 - i] = t % 256;
  b[6] = 0x70 | (b[6]! & 0x0f);
  b[8] = 0x80 | (b[8]! & 0x3f);
  const hex = Array.from(b, (v) => v.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
