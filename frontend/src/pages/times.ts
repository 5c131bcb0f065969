const SHOWN = {
  day: { dateStyle: "medium" },
  minute: { dateStyle: "medium", timeStyle: "short" },
  second: { dateStyle: "medium", timeStyle: "medium" },
  clock: { timeStyle: "short" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** The first wish of the reader that is a kind of the page's language (en-GB on a page in English), else that language. */
export function localeOf(page: string, wishes: readonly string[]): string {
  const [primary] = page.split("-");
  return wishes.find((each) => each.split("-")[0] === primary) ?? page;
}

/** Tells the server whose days a form is about: its field `data-zone` gets the name of the browser's time zone. */
export function tellZone(doc: Document): void {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  for (const each of doc.querySelectorAll<HTMLInputElement>("input[data-zone]")) each.value = timeZone;
}

/**
 * Says every `<time data-moment>`, which the server has written in UTC, in the reader's own zone; which zone that
 * is and the day of the week stand in its title. `zone` is the browser's own where it is not given.
 */
export function showTimes(doc: Document, locale: string, zone?: string): void {
  const here = zone ? { timeZone: zone } : {};
  const whole = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long", ...here });
  for (const each of doc.querySelectorAll<HTMLTimeElement>("time[data-moment]")) {
    const at = new Date(each.dateTime);
    const shown = SHOWN[each.dataset["moment"] as keyof typeof SHOWN];
    if (!shown || isNaN(at.getTime())) continue;
    each.textContent = new Intl.DateTimeFormat(locale, { ...shown, ...here }).format(at);
    each.title = whole.format(at);
  }
}
