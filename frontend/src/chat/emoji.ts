/** A grid of emoji to be put into the message. Screen readers name each in their own language. */
import { extras as t } from "../words/en.ts";

export const COLUMNS = 8;

/** Whole rows only, so that up and down are a row's length. */
export const SETS: [name: string, emoji: string][] = [
  [t.faces, "😀 😃 😄 😁 😅 😂 🙂 🙃 😉 😊 😇 🥰 😍 😘 😋 😜 🤔 🤨 😐 😏 🙄 😬 😌 😴 😕 😟 😮 😢 😭 😱 😠 🤒"],
  [t.hands, "👍 👎 👌 ✌️ 🤞 🤙 👈 👉 👆 👇 ☝️ 👋 👏 🙌 🙏 💪"],
  [t.hearts, "❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💕 💯 ✨ 🎉 🎂 🌹 🌞"],
  [t.things, "📞 📱 💻 📧 📄 📎 📅 ⏰ 🏠 🏢 🚗 ✈️ 💼 💰 🔑 ☕"],
  [t.signs, "✅ ❌ ❗ ❓ ⚠️ ℹ️ 🆗 🚫 🔴 🟡 🟢 ⭐ 🔔 🔒 💬 👀"],
];

/** Where a key leads from the cell `at` of so many; null for a key that leads nowhere. */
export function moved(at: number, key: string, count: number, rightToLeft: boolean, all: boolean): number | null {
  const row = at - (at % COLUMNS);
  const to: Record<string, number> = {
    ArrowRight: at + (rightToLeft ? -1 : 1),
    ArrowLeft: at + (rightToLeft ? 1 : -1),
    ArrowDown: at + COLUMNS,
    ArrowUp: at - COLUMNS,
    Home: all ? 0 : row,
    End: all ? count - 1 : row + COLUMNS - 1,
  };
  const next = to[key];
  return next === undefined ? null : next < 0 || next >= count ? at : next;
}

/**
 * Opens the grid over the message box, or puts it away. `opener` is the button: it gets the focus back at
 * Escape; the box does when something was chosen, which stands where its caret was.
 */
export function toggle(opener: HTMLElement, area: HTMLTextAreaElement): void {
  const form = area.form!;
  const old = form.querySelector(".emoji");
  if (old) return void old.dispatchEvent(new Event("putaway"));
  const grid = element("div", form, "grid");
  grid.className = "emoji";
  grid.ariaLabel = opener.ariaLabel;
  form.prepend(grid); // in front of what the chat draws there, which it does not notice
  const cells = SETS.flatMap(([name, text]) => {
    const group = element("div", grid, "rowgroup");
    group.ariaLabel = name;
    const heading = element("p", group);
    heading.textContent = name;
    heading.ariaHidden = "true";
    let row = group;
    return text.split(" ").map((each, i) => {
      if (i % COLUMNS === 0) row = element("div", group, "row");
      const cell = element("button", element("span", row, "gridcell"));
      cell.type = "button";
      cell.tabIndex = -1;
      cell.textContent = each;
      return cell;
    });
  });

  const close = (then?: HTMLElement) => {
    grid.remove();
    opener.ariaExpanded = "false";
    document.removeEventListener("pointerdown", elsewhere);
    then?.focus();
  };
  const isOurs = (target: EventTarget | null) => target instanceof Node && (grid.contains(target) || opener.contains(target));
  const elsewhere = (e: Event) => isOurs(e.target) || close();
  const go = (to: number, from = 0) => {
    cells[from]!.tabIndex = -1;
    cells[to]!.tabIndex = 0;
    cells[to]!.focus();
  };
  grid.addEventListener("putaway", () => close(opener));
  grid.addEventListener("keydown", (e) => {
    const at = cells.indexOf(e.target as HTMLButtonElement);
    const to = moved(at, e.key, cells.length, getComputedStyle(grid).direction === "rtl", e.ctrlKey);
    if (to === null && e.key !== "Escape") return;
    e.preventDefault(); // of Escape too: the panel stays
    if (to === null) close(opener);
    else go(to, at);
  });
  grid.addEventListener("focusout", (e) => e.relatedTarget && !isOurs(e.relatedTarget) && close());
  grid.addEventListener("click", (e) => {
    const chosen = cells.find((each) => each === e.target);
    if (!chosen) return;
    area.setRangeText(chosen.textContent!, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    close(area);
  });
  document.addEventListener("pointerdown", elsewhere);
  opener.ariaExpanded = "true";
  go(0);
}

function element<T extends keyof HTMLElementTagNameMap>(tag: T, into: Element, role = ""): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  if (role) made.setAttribute("role", role);
  into.append(made);
  return made;
}
