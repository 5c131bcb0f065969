/** How well what somebody typed fits a name. Pure. */

/** Without case and accents. */
export function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/**
 * 0 where `query` does not fit; else the more, the better: a word's beginning beats its middle, and that beats
 * letters that only come in order. Each word of the query has to be found; "" fits everything alike.
 */
export function fit(query: string, text: string): number {
  const words = plain(query).split(/\s+/).filter(Boolean);
  const within = plain(text);
  let sum = 1;
  for (const word of words) {
    const score = fitWord(word, within);
    if (!score) return 0;
    sum += score;
  }
  return sum;
}

function fitWord(word: string, text: string): number {
  const at = text.indexOf(word);
  if (at === 0) return 100 + word.length / text.length;
  for (let next = at; next > 0; next = text.indexOf(word, next + 1)) if (!/[\p{L}\p{N}]/u.test(text[next - 1]!)) return 80;
  if (at > 0) return 60;
  let from = -1;
  let gaps = 0;
  for (const letter of word) {
    const next = text.indexOf(letter, from + 1);
    if (next < 0) return 0;
    if (from >= 0) gaps += next - from - 1;
    from = next;
  }
  return word.length > 1 ? Math.max(1, 40 - gaps) : 0;
}

/** Those that fit, the best first; of the same fit in the order given. */
export function ranked<T>(all: readonly T[], query: string, textOf: (one: T) => string): T[] {
  if (!query.trim()) return [...all];
  return all
    .map((one, at) => ({ one, at, score: fit(query, textOf(one)) }))
    .filter((each) => each.score > 0)
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .map((each) => each.one);
}
