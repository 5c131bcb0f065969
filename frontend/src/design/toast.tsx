import { Button, IconButton } from "./button.tsx";

export interface ToastProps {
  text: string;
  /** What takes it back, and what it is called. */
  undo?: { label: string; onUndo: () => void };
  closeLabel: string;
  onClose: () => void;
}

/** What has just happened, and the way back from it. Stands in a `role="status"` that was there before. */
export function Toast({ text, undo, closeLabel, onClose }: ToastProps) {
  return (
    <div class="toast">
      <span class="toast-text">{text}</span>
      {undo && <Button kind="plain" small onClick={undo.onUndo}>{undo.label}</Button>}
      <IconButton icon="close" name={closeLabel} small onClick={onClose} />
    </div>
  );
}
