/** Pages pin a version of the loader by an integrity hash: a rebuild must leave it where it is. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

interface Loader {
  version: string;
  integrity: string;
}
const root = fileURLToPath(new URL("../../", import.meta.url));
const listOf = (top: string) => JSON.parse(readFileSync(join(top, "frontend/loaders.json"), "utf8")) as Loader[];
const bytesOf = (top: string, version: string) => readFileSync(join(top, `static/dist/loader.${version}.js`));
const integrityOf = (body: Buffer) => "sha384-" + createHash("sha384").update(body).digest("base64");

let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "chatlead-pinned-"));
  mkdirSync(join(copy, "frontend"));
  for (const part of ["src", "build.mjs", "package.json", "tsconfig.json", "loaders.json"]) cpSync(join(root, "frontend", part), join(copy, "frontend", part), { recursive: true });
  cpSync(join(root, "static/dist"), join(copy, "static/dist"), { recursive: true });
  symlinkSync(join(root, "frontend/node_modules"), join(copy, "frontend/node_modules"));
});
afterEach(() => rmSync(copy, { recursive: true }));

function build(...out: string[]): { status: number | null; stderr: string } {
  return spawnSync("node", ["build.mjs", ...out], { cwd: join(copy, "frontend"), encoding: "utf8" });
}
const change = (n: number) => appendFileSync(join(copy, "frontend/src/loader/loader.ts"), `\n(window as unknown as { build?: number }).build = ${n};\n`);

test("the newest loader and the three before it are there, each with the bytes that a page has pinned", () => {
  const loaders = listOf(root);
  expect(loaders.length).toBeLessThanOrEqual(4);
  expect(bytesOf(root, loaders[0]!.version).equals(readFileSync(join(root, "static/dist/loader.js")))).toBe(true);
  for (const { version, integrity } of loaders) expect(integrityOf(bytesOf(root, version)), version).toBe(integrity);
  const there = readdirSync(join(root, "static/dist")).filter((name) => /^loader\.[0-9a-f]{12}\.js$/.test(name));
  expect(there.sort()).toEqual(loaders.map(({ version }) => `loader.${version}.js`).sort());
});

test("a rebuild of a changed loader keeps what pages have pinned, and lets go of the fifth", { timeout: 60_000 }, () => {
  const before = listOf(copy);
  const pinned = bytesOf(copy, before[0]!.version);
  for (const n of [1, 2, 3]) {
    change(n);
    expect(build().stderr).toBe("");
  }
  const after = listOf(copy);
  expect(after).toHaveLength(4);
  expect(after.at(-1)).toEqual(before[0]);
  expect(bytesOf(copy, before[0]!.version).equals(pinned)).toBe(true);
  change(4);
  build();
  expect(listOf(copy).map((each) => each.version)).not.toContain(before[0]!.version);
  expect(() => bytesOf(copy, before[0]!.version)).toThrow();
});

test("a build elsewhere is the same from any copy and changes no list: that is how freshness is checked", { timeout: 60_000 }, () => {
  build();
  const list = readFileSync(join(copy, "frontend/loaders.json"), "utf8");
  const tree = (folder: string) => readdirSync(folder).sort().map((name) => [name, integrityOf(readFileSync(join(folder, name)))]);
  expect(build(join(copy, "fresh")).status).toBe(0);
  expect(tree(join(copy, "fresh"))).toEqual(tree(join(copy, "static/dist")));
  change(1);
  expect(build(join(copy, "other")).status).toBe(0);
  expect(tree(join(copy, "other"))).not.toEqual(tree(join(copy, "static/dist")));
  expect(readFileSync(join(copy, "frontend/loaders.json"), "utf8")).toBe(list);
});

test("an old loader that is not what was pinned stops the build", { timeout: 60_000 }, () => {
  const [, older] = listOf(copy);
  writeFileSync(join(copy, `static/dist/loader.${older!.version}.js`), "/* another */");
  expect(build().status).not.toBe(0);
});
