/** Times in the language that the chat speaks. */
import { dates } from "../design/dates.ts";
import { localeOf } from "../words/numbers.ts";
import { t } from "./strings.ts";

export const { timeOf, momentOf, dayName } = dates(localeOf(t.lang), t);
