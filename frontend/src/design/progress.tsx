/** How far something is: 0 to 1, or null where nobody knows. `failed` keeps what was reached in sight. */
export function Progress({ label, value, failed = false }: { label: string; value: number | null; failed?: boolean }) {
  const percent = value === null ? null : Math.round(Math.min(1, Math.max(0, value)) * 100);
  const tone = failed ? " progress-bad" : percent === null ? " progress-open" : "";
  return (
    <div class={`progress${tone}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent ?? undefined}>
      <i style={percent === null ? {} : { width: `${percent}%` }} />
    </div>
  );
}
