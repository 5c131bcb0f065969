/** Close codes of our sockets; the table is generated from the server's. */
import { CLOSE_CODES } from "./protocol.ts";

export const FLOOD: number = CLOSE_CODES.FLOOD;
export const RESTART: number = CLOSE_CODES.RESTART;
export { mayReturn } from "./backoff.ts"; // the loader wants it without the table
