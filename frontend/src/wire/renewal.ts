/** A page that is too old for its server is loaded anew: once by itself, then when somebody asks for it. */
const KEY = "chatlead.reloaded";

/** True when the page is being reloaded. `box` outlives the reload; where it cannot, nothing is done. */
export function reloadOnce(
  box: () => Storage = () => sessionStorage,
  reload: () => void = () => location.reload(),
): boolean {
  try {
    const kept = box();
    if (kept.getItem(KEY)) return false;
    kept.setItem(KEY, "1");
    if (kept.getItem(KEY) !== "1") return false;
  } catch {
    return false; // without a memory it might go on for ever
  }
  reload();
  return true;
}

/** The server has understood us: the next time counts anew. */
export function understood(box: () => Storage = () => sessionStorage): void {
  try {
    box().removeItem(KEY);
  } catch {
    // then nothing was kept either
  }
}
