/** Numbers within words, as a language says them. */

/** A sentence for each plural of a language; `#` is where the number stands. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/**
 * The reader's own kind of a language where the browser names one (`en-GB`, `de-AT`), else the language: a
 * clock of 24 hours, or the digits that they are used to.
 */
export function localeOf(lang: string): string {
  const wanted = typeof navigator === "object" ? (navigator.languages ?? []) : [];
  return wanted.find((each) => each.split("-")[0] === lang) ?? lang;
}

export function digits(lang: string, n: number): string {
  return new Intl.NumberFormat(localeOf(lang)).format(n);
}

export function counted(lang: string, n: number, forms: Forms): string {
  return (forms[new Intl.PluralRules(lang).select(n)] ?? forms.other).replace("#", digits(lang, n));
}
