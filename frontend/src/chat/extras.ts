/** What few people use in a chat, in a file of its own for each language, fetched at the press of its button. */
import css from "./extras.css";

export { toggle as emoji } from "./emoji.ts";
export { ask as transcript } from "./transcript.ts";

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
