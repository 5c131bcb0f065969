/** Times as the reader's own clock and language write them. */
import { t } from "./strings.ts";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export const timeOf = (at: number): string => clock.format(at);
export const momentOf = (at: number): string => full.format(at);

/** A number that is equal for two moments of one local day. */
export function dayOf(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

export function dayName(at: number, now: number = Date.now()): string {
  const day = dayOf(at);
  if (day === dayOf(now)) return t.today;
  if (day === dayOf(dayOf(now) - 3_600_000)) return t.yesterday;
  return date.format(at);
}
