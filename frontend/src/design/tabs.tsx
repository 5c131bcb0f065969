import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";

export interface Tab {
  name: string;
  label: string;
  disabled?: boolean;
}

/**
 * One of a few views of the same thing. The arrows choose, in the direction in which the page is read; Tab
 * goes on into the panel. The children are the panel of the chosen one.
 */
export function Tabs({ label, tabs, chosen, onChoose, children }: {
  label: string; tabs: readonly Tab[]; chosen: string; onChoose: (name: string) => void; children: ComponentChildren;
}) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const usable = tabs.filter((tab) => !tab.disabled);
  const move = (e: KeyboardEvent) => {
    const forward = getComputedStyle(e.currentTarget as HTMLElement).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
    const at = usable.findIndex((tab) => tab.name === chosen);
    const to = { [forward]: at + 1, [back]: at - 1, Home: 0, End: usable.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const next = usable.at(to % usable.length)!;
    onChoose(next.name);
    list.current?.querySelector<HTMLElement>(`[data-tab="${CSS.escape(next.name)}"]`)?.focus();
  };
  return (
    <div>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.name} type="button" class="tab" role="tab" id={`${id}-${tab.name}`} data-tab={tab.name} disabled={tab.disabled ?? false}
            aria-selected={tab.name === chosen} aria-controls={`${id}-panel`} tabIndex={tab.name === chosen ? 0 : -1} onClick={() => onChoose(tab.name)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`} tabIndex={0}>{children}</div>
    </div>
  );
}
