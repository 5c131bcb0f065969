import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * A dialog that is modal as long as it is drawn. The focus comes back to where it was, with the caret: the browser
 * alone gives back the focus, but where something was typed in between the next letter would fall nowhere.
 */
export function useModal(): { current: HTMLDialogElement | null } {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const el = dialog.current;
    el?.showModal();
    return () => {
      el?.close();
      const back = document.activeElement;
      if (!(back instanceof HTMLElement) || back === document.body) return;
      back.blur();
      back.focus({ preventScroll: true });
    };
  }, []);
  return dialog;
}
