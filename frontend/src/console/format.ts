/** Times as the operator's own browser writes them. */
import { dates } from "../design/dates.ts";
import { localeOf } from "../words/numbers.ts";
import { say } from "./strings.ts";

export const { timeOf, momentOf, dayName } = dates(localeOf(say.lang), say.times);
