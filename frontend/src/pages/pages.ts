/** What the public pages do besides being read: a button that copies what stands beside it. */
import { copyButtons } from "./copy.ts";

copyButtons(document, async (text) => navigator.clipboard.writeText(text));
