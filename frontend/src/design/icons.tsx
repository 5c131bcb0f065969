/** Line icons on a 20 px grid. They never carry meaning alone: a name stands beside or behind each. */
const paths = {
  send: "M3.5 10 16.5 4l-4.2 12.5-3-5.2zM9.3 11.3 16.5 4",
  minimise: "M5 8l5 5 5-5",
  close: "M5 5l10 10M15 5 5 15",
  back: "M12 5l-5 5 5 5",
  retry: "M15.5 10a5.5 5.5 0 1 1-1.6-3.9M14.5 3v3.3h-3.3",
  alert: "M10 3.2 17.6 16.4H2.4zM10 8v3.6M10 14v.1",
  check: "M4.5 10.5 8.3 14.2 15.5 6.2",
  checks: "M2 10.8l3.2 3.2 6.6-7.2M9.4 13.2l.9.8L17 6.8",
  clock: "M10 3.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM10 6.5V10l2.3 1.6",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  chat: "M4 4.5h12a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5H9.5L6 17.2v-2.7H4A1.5 1.5 0 0 1 2.5 13V6A1.5 1.5 0 0 1 4 4.5z",
  people: "M7.5 9.5a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM2.5 16c.4-2.8 2.3-4.2 5-4.2s4.600 1.4 5 4.200M13 4.400a2.600 2.600 0 0 1 0 5M15 12.300c1.500.6 2.300 1.900 2.500 3.700",
  history: "M3.500 10a6.500 6.500 0 1 0 2-4.700M3.500 3.500v3h3M10 6.500V10l2.500 1.500",
  search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11zM13 13l3.500 3.500",
  note: "M5 3.500h10v9L11.500 16.500H5zM11.500 16.500v-4H15",
  swap: "M4 7h11M12 4l3 3-3 3M16 13H5M8 10l-3 3 3 3",
  end: "M10 3.500v6M6.200 5.300a6 6 0 1 0 7.600 0",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
