/** That nothing which was sent is lost with the tab: neither what may still be taken back nor what waits for a line. */
import type { Session } from "./session.ts";

export function leaveWith(session: Session, page: Window = window, doc: Document = document): void {
  // Phones end a page in the background without another word: what was sent goes out while it can.
  doc.addEventListener("visibilitychange", () => doc.visibilityState === "hidden" && session.undo.release());
  page.addEventListener("pagehide", () => {
    session.undo.release();
    session.sendAll();
  });
  page.addEventListener("beforeunload", (e) => {
    session.undo.release();
    const { state } = session.link.peek();
    const waits = [...session.unsent.peek(), ...session.unsentNotes.peek()].some((i) => !i.failed);
    if (waits && state !== "online") e.preventDefault(); // the browser asks; what stays unsent is gone with the tab
  });
}
