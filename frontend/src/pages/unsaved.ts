/**
 * Asks before the page is left while a form with `data-unsaved` holds what was not sent; with the value
 * "changed" it does from the start, because the server has given back what is stored nowhere. The browser words the
 * question; a form that is sent is no loss.
 */
export function keepUnsaved(doc: Document, win: Pick<Window, "addEventListener">): void {
  const changed = new Set<HTMLFormElement>();
  for (const form of doc.querySelectorAll<HTMLFormElement>("form[data-unsaved]")) {
    if (form.dataset["unsaved"] === "changed") changed.add(form);
    form.addEventListener("input", () => changed.add(form));
    form.addEventListener("submit", () => changed.clear());
    form.addEventListener("reset", () => changed.delete(form));
  }
  win.addEventListener("beforeunload", (event) => {
    if (changed.size) event.preventDefault();
  });
}

/**
 * A button with `data-asks="ID"` opens that dialog instead of doing what it does; the dialog's own button does it.
 * Without scripts the button works at once, and the server asks by a page of its own where that matters.
 */
export function askBefore(doc: Document): void {
  for (const button of doc.querySelectorAll<HTMLButtonElement>("button[data-asks]")) {
    const dialog = doc.getElementById(button.dataset["asks"] ?? "");
    if (!(dialog instanceof HTMLDialogElement)) continue;
    button.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.showModal();
    });
    for (const no of dialog.querySelectorAll("[data-no]")) no.addEventListener("click", () => dialog.close());
  }
}
