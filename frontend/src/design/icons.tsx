/** Line icons on a 20 px grid. They never carry meaning alone: a name stands beside or behind each. */
import type { more } from "./more-icons.ts";

const BELL = "M5 14V9a5 5 0 0 1 10 0v5zM8 17h4";

/** Those of the chat frame, which is loaded over bad lines: it does without the others (more-icons.ts). */
const own = {
  send: "M3.5 10 16.5 4l-4.2 12.5-3-5.2zM9.3 11.3 16.5 4",
  minimise: "M5 8l5 5 5-5",
  sound: BELL,
  muted: BELL + "M4 4l12 12",
  smile: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M7.5 8v.1M12.5 8v.1M7 12q3 3 6 0",
  alert: "M10 3.2 17.6 16.4H2.4zM10 8v3.6M10 14v.1",
};

export type IconName = keyof typeof own | keyof typeof more;

const paths: Partial<Record<IconName, string>> = { ...own };

/** From now on these are known as well. */
export function know(others: typeof more): void {
  Object.assign(paths, others);
}

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
