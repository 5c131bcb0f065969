/** Times as the operator's own browser writes them. */
import { dates } from "../design/dates.ts";

export const { timeOf, momentOf, dayName } = dates(undefined, { today: "Today", yesterday: "Yesterday" });
