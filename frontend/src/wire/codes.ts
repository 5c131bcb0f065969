/** Close codes of our sockets; the table is generated from the server's. */
import { CLOSE_CODES } from "./protocol.ts";

export const FLOOD: number = CLOSE_CODES.FLOOD;
export const RESTART: number = CLOSE_CODES.RESTART;

/** False where coming back with the same credentials is useless: stop, and tell the person. */
export function mayReturn(code: number): boolean {
  return code < 4400 || code > 4499;
}
