/**
 * Which language the console speaks: what was chosen in this browser, else what the browser asks for. A cookie
 * says it, as the server needs it for the log-in page and to choose among the built scripts.
 */
const COOKIE = "cl_lang";
const YEAR_SECONDS = 31_536_000;

/** By their own names. */
export const LANGUAGES = [{ value: "en", label: "English" }, { value: "es", label: "Español" }] as const;

/** "" leaves it to the browser. */
export function languageChosen(cookies: string = document.cookie): string {
  const found = new RegExp(`(?:^|; )${COOKIE}=([a-z]{2})(?:;|$)`).exec(cookies)?.[1];
  return LANGUAGES.find((l) => l.value === found)?.value ?? "";
}

/** The page comes anew in it; what was being written is kept. */
export function chooseLanguage(lang: string): void {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${COOKIE}=${lang}; path=/console/; max-age=${lang ? YEAR_SECONDS : 0}; samesite=lax${secure}`;
  location.reload();
}
