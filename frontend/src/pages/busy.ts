/**
 * A button with `data-busy="WORDS"` says these words from when its form is sent until the answer is there, and the
 * form is not sent a second time meanwhile. It keeps the focus and its value; without scripts it is a button.
 */
export function sayBusy(doc: Document, win: Pick<Window, "addEventListener">): void {
  const sent = new Map<HTMLFormElement, () => void>();
  doc.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (sent.has(form)) return event.preventDefault();
    const button = event.submitter;
    const words = button?.dataset["busy"];
    if (!button || !words || event.defaultPrevented) return;
    const name = button.textContent;
    button.textContent = words;
    button.setAttribute("aria-disabled", "true");
    sent.set(form, () => {
      button.textContent = name;
      button.removeAttribute("aria-disabled");
    });
  });
  // by "Back" the browser shows the page as it was left
  win.addEventListener("pageshow", () => {
    for (const putBack of sent.values()) putBack();
    sent.clear();
  });
}
