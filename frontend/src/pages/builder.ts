/** The answers to choose from are asked for where a question is a choice; without scripts the field is always there. */
export function showOptions(doc: Document): void {
  for (const select of doc.querySelectorAll<HTMLSelectElement>("select[data-kind]")) {
    const box = doc.getElementById(select.dataset["kind"] ?? "");
    const look = () => {
      if (box) box.hidden = select.value !== "choice";
    };
    select.addEventListener("change", look);
    look();
  }
}
