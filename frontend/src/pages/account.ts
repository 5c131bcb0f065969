/** What the pages of /account/ do besides being read: nothing that a form needs, all of it works without. */
import { copyButtons } from "./copy.ts";
import { showOptions } from "./builder.ts";
import { sayBusy } from "./busy.ts";
import { localeOf, showTimes, tellZone } from "./times.ts";
import { askBefore, keepUnsaved } from "./unsaved.ts";

copyButtons(document, async (text) => navigator.clipboard.writeText(text));
keepUnsaved(document, window);
askBefore(document);
showOptions(document);
sayBusy(document, window);
showTimes(document, localeOf(document.documentElement.lang, navigator.languages));
tellZone(document);
// on a phone the menu is a strip that scrolls
document.querySelector(".account-menu [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
