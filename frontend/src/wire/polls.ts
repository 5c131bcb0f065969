/** Fetches the part that polls when it is needed: most people never do. */
import type { Pipe, PollSocket } from "./poll.ts";

/** Its address beside this script, with its version; the build writes it in. */
declare const POLL_FILE: string;

let suffix = "";
let part: { PollSocket: typeof PollSocket } | undefined;

/** For the address of a socket. Rejects where the file cannot be had; a browser asks only once for one name. */
export async function poll(url: string, at: () => object): Promise<Pipe> {
  if (!part) {
    const file = POLL_FILE + suffix;
    suffix += "&";
    part = (await import(file)) as typeof part;
  }
  return new part!.PollSocket(url.replace(/^ws(.*?)\/ws\//, "http$1/poll/"), at);
}
