/** What the loader says: English, until the facts of its site bring the words of another language. */
export { loader as words } from "../words/en.ts";
