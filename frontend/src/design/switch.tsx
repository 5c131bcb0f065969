import { useId } from "preact/hooks";
import { Icon } from "./icons.tsx";

export interface SwitchProps {
  label: string;
  on: boolean;
  onSwitch: (on: boolean) => void;
  disabled?: boolean;
  /** The answer is under way: pressing again does nothing, and it says so. */
  busy?: boolean;
  hint?: string;
  error?: string;
  class?: string;
}

/** On or off, at once: what has to be saved by a button is a checkbox. */
export function Switch({ label, on, onSwitch, disabled = false, busy = false, hint, error, class: extra }: SwitchProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <button
        type="button" role="switch" class={["switch", extra].filter(Boolean).join(" ")} aria-checked={on} disabled={disabled}
        aria-disabled={busy ? "true" : undefined} aria-busy={busy ? "true" : undefined} aria-describedby={described || undefined}
        onClick={() => !busy && onSwitch(!on)}
      >
        <span class="switch-track" aria-hidden="true" />
        <span>{label}</span>
        {busy && <span class="spinner" aria-hidden="true" />}
      </button>
      {hint && <p class="field-hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p class="field-error" id={`${id}-error`}><Icon name="alert" />{error}</p>}
    </div>
  );
}
