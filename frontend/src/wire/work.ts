/** Work that a server under a flood asks for before it lets somebody begin something (docs/protocol.md, Limits). */

const AT_ONCE = 50;
/** Some browsers digest a few bytes at once, so that waiting for it gives nobody else a turn. */
const TURN_MS = 10;

/** The task with a number behind it whose SHA-256 begins with as many zero bits as the task says, 31 at most.
 *  Every few milliseconds the page does whatever else it has to. */
export async function worked(task: string): Promise<string> {
  for (let from = 0, began = performance.now(); ; from += AT_ONCE) {
    const tried = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => attempt(task, from + i)));
    const found = tried.find(Boolean);
    if (found) return found;
    if (performance.now() - began < TURN_MS) continue;
    await new Promise((turn) => setTimeout(turn));
    began = performance.now();
  }
}

async function attempt(task: string, number: number): Promise<string> {
  const answer = `${task}.${number}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(answer));
  return new DataView(digest).getUint32(0) >>> (32 - Number(task.split(".")[1])) ? "" : answer;
}
