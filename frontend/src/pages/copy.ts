const BACK_MS = 2_000;

/**
 * Gives every `data-copy="ID"` button its work: to copy the text of that element. The buttons are `hidden`
 * until then, so that there is none without scripts; where copying is refused the text is selected instead.
 */
export function copyButtons(doc: Document, write: (text: string) => Promise<void>): void {
  for (const button of doc.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    const source = doc.getElementById(button.dataset["copy"] ?? "");
    if (!source) continue;
    const name = button.textContent;
    const status = button.parentElement?.querySelector("[role=status]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await write(source.textContent ?? "").then(() => true, () => false);
      if (!done) doc.getSelection()?.selectAllChildren(source);
      const said = done ? "Copied" : "Selected: press Ctrl-C";
      button.textContent = said;
      if (status) status.textContent = said;
      setTimeout(() => {
        button.textContent = name;
        if (status) status.textContent = "";
      }, BACK_MS);
    });
  }
}
