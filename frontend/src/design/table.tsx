import type { ComponentChildren } from "preact";

export interface Column<Row> {
  name: string;
  cell: (row: Row) => ComponentChildren;
  isNumber?: boolean;
}

/** Rows under named columns; the first column names its row. Too wide for its place it scrolls by itself. */
export function Table<Row>({ caption, columns, rows, keyOf }: {
  caption: string; columns: readonly Column<Row>[]; rows: readonly Row[]; keyOf: (row: Row) => string;
}) {
  return (
    <div class="table-box" role="region" aria-label={caption} tabIndex={0}>
      <table class="table">
        <caption>{caption}</caption>
        <thead>
          <tr>{columns.map((c) => <th key={c.name} scope="col" class={c.isNumber ? "number" : ""}>{c.name}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((c, i) => i === 0
                ? <th key={c.name} scope="row">{c.cell(row)}</th>
                : <td key={c.name} class={c.isNumber ? "number" : ""}>{c.cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
