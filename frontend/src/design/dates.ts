/** Times in the reader's own zone, as a language writes them. */

/** A number that is equal for two moments of one local day. */
export function dayOf(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** `locale` undefined is the browser's own. */
export function dates(locale: string | undefined, words: { today: string; yesterday: string }) {
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const date = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
  return {
    timeOf: (at: number): string => clock.format(at),
    momentOf: (at: number): string => full.format(at),
    dayName: (at: number, now: number = Date.now()): string => {
      const day = dayOf(at);
      if (day === dayOf(now)) return words.today;
      if (day === dayOf(dayOf(now) - 3_600_000)) return words.yesterday;
      return date.format(at);
    },
  };
}
