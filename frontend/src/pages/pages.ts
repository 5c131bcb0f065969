/** What the public pages do besides being read: a button that copies what stands beside it, one that is busy. */
import { sayBusy } from "./busy.ts";
import { copyButtons } from "./copy.ts";

copyButtons(document, async (text) => navigator.clipboard.writeText(text));
sayBusy(document, window);
