// Builds static/dist/ from src/. The result is committed, so the same sources must give the same bytes:
// no time, no path and no host goes into it, and names are listed in order.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "static", "dist");

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  write: false,
  charset: "ascii", // a page in any encoding may load the loader
  legalComments: "none",
  logLevel: "warning",
  target: ["chrome100", "firefox100", "safari15.4"],
};
const script = { ...common, format: "iife", jsx: "automatic", jsxImportSource: "preact" };

// Private names of the loader's classes: a page loads 170 bytes less without them. None of these may be a name
// of the DOM, of the wire or of the words.
const LOADERS_OWN = /^(aloud|appear|attend|badge|box|bring|bubble|closed|dial|doubt|drop|enter|fit|greet|heard|hiddenAt|hint|hush|icon|isPhone|known|listeners|lost|make|note|opener|options|over|paint|place|presence|redial|retry|reveal|shell|sleep|socket|take|tally|timer|told|tries|turned|unfold|unload|view)$/;

// The same for the chat, where they are 300 bytes.
const CHATS_OWN = /^(absorb|acked|afterSnapshot|askedAt|attempt|attempts|becameOf|become|beganAt|busy|canEnd|catchUp|dayName|dialled|draft|drawing|errors|expect|flying|forget|greeted|hear|heardAt|isWelcome|joined|keepDraft|land|landed|last|lastId|leads|linkBecame|loadOlder|longestMs|lose|markTimer|misses|momentOf|notBefore|noteRead|onAnother|onChat|onEnd|onFrame|onKeep|onLeave|onMinimise|onQuiet|onSent|onState|onValue|optionalWord|outbox|overdue|owedAt|patience|pendingStart|polling|post|probe|probing|question|questions|quiet|quietMs|reconnected|renew|replies|rest|restart|secondTicket|socket|stopTyping|stoppedBy|takeBack|tellPage|tickets|timeOf|toDraft|told|typingSaidAt|typingTimer|unsent|wake|watchers|whoLeft|wide|worded)$/;

// Names of sentences that browsers have for something else.
const BROWSERS_TOO = ["tooLong"];

// The loader carries its styles as a string for adoptedStyleSheets.
const cssAsText = {
  name: "css-as-text",
  setup(b) {
    b.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const css = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true, charset: "ascii", target: common.target });
      return { contents: css.code.trim(), loader: "text" };
    });
  },
};

// The gallery shows what only a pointer, a key or a setting brings: each state of design/ is a class there
// too, and the scheme an attribute.
const statesAsClasses = {
  name: "states-as-classes",
  setup(b) {
    b.onLoad({ filter: /design[\\/][a-z]+\.css$/ }, ({ path }) => ({ contents: withStates(readFileSync(path, "utf8")), loader: "css" }));
  },
};

function withStates(css) {
  const dark = /@media \(prefers-color-scheme: dark\) \{\s*:root \{/;
  return css.replace(dark, '@media all {\n:root[data-scheme="dark"] {').replace(/(?<=^|[{}]|\*\/)[^{}@]*(?=\{)/g, (selectors) => {
    const added = selectors.split(",").flatMap((each) => {
      const selector = each.trim();
      const [state] = /:(hover|focus-visible|active)\b/.exec(selector) ?? [];
      if (!state) return [];
      const forced = selector.replace(state, `.is-${state.slice(1)}`);
      return selector.startsWith(".input") ? [forced, `.forced-${state.slice(1).split("-")[0]} ${selector.replace(state, "")}`] : [forced];
    });
    return [selectors, ...added].join(",\n");
  });
}

const files = new Map();

// Parts that are fetched when they are needed, by their address beside the script, under the name that
// templates would give it.
const asPart = { ...common, format: "esm" };
async function part(name, options) {
  const built = await build({ ...asPart, ...options });
  files.set(name, Buffer.from(built.outputFiles[0].contents));
  return JSON.stringify(`./${name}?v=${versionOf(name)}`);
}
script.define = {
  POLL_FILE: await part("poll.js", { entryPoints: ["src/wire/poll.ts"] }),
  SOUND_FILE: await part("sound.js", { entryPoints: ["src/chat/sound.ts"] }),
  WORK_FILE: await part("work.js", { entryPoints: ["src/wire/work.ts"] }),
};

const entries = {
  "loader.js": { ...script, mangleProps: LOADERS_OWN, entryPoints: ["src/loader/loader.ts"], plugins: [cssAsText] },
  "hosted.js": { ...common, format: "esm", entryPoints: ["src/chat/hosted.ts"] },
  "closed.js": { ...script, entryPoints: ["src/chat/closed.ts"] },
  "hosted.css": { ...common, entryPoints: ["src/chat/hosted.css"] },
  "chat.css": { ...common, entryPoints: ["src/chat/chat.css"] },
  "worker.js": { ...script, entryPoints: ["src/console/worker.ts"] },
  "console.css": { ...common, entryPoints: ["src/console/console.css"] },
  "demo.css": { ...common, entryPoints: ["src/demo/demo.css"] },
  "pages.css": { ...common, entryPoints: ["src/design/pages.css"] },
  "account.css": { ...common, entryPoints: ["src/pages/account.css"] },
  "account.js": { ...script, entryPoints: ["src/pages/account.ts"] },
  "offline.js": { ...script, entryPoints: ["src/pages/offline.ts"] },
  "pages.js": { ...script, entryPoints: ["src/pages/pages.ts"] },
  "picture.js": { ...script, entryPoints: ["src/pages/picture.ts"] },
  "gallery.js": { ...script, entryPoints: ["src/pages/gallery.tsx"], plugins: [cssAsText] },
  "gallery.css": { ...common, entryPoints: ["src/pages/gallery.css"], plugins: [statesAsClasses] },
};

// The chat frame is built once for each language: src/chat/strings.ts imports the English words, and here those
// of another language take their place. The words of the loader, and what a document says without scripts, are
// for the server: it passes them on (visitors/languages.py).
const spoken = {};
const words = async (file) => {
  const module = await build({ ...common, format: "esm", entryPoints: [join(here, "src/words", file)] });
  return import(`data:text/javascript;base64,${Buffer.from(module.outputFiles[0].contents).toString("base64")}`);
};
// The names of the sentences are nobody's business but the chat's. Nothing that is fetched later
// (src/chat/parts.ts) may know one that is taken away (mangled.test.ts).
const sentences = Object.keys((await words("en.ts")).chat).filter((name) => /[A-Z]/.test(name) && !BROWSERS_TOO.includes(name));
const mangleProps = new RegExp(`${CHATS_OWN.source}|^(${sentences.join("|")})$`);
for (const file of readdirSync(join(here, "src/words")).sort()) {
  const [, lang] = /^([a-z]{2})\.ts$/.exec(file) ?? [];
  if (!lang) continue;
  const path = join(here, "src/words", file);
  const { loader, page, survey, mail } = await words(file);
  spoken[lang] = { loader, page, survey, mail };
  const plugins = [{ name: "words", setup: (b) => b.onResolve({ filter: /\/words\/en\.ts$/ }, () => ({ path })) }];
  const of = (name) => (lang === "en" ? `${name}.js` : `${name}.${lang}.js`);
  const EXTRAS_FILE = await part(of("extras"), { charset: "utf8", entryPoints: ["src/chat/extras.ts"], plugins: [...plugins, cssAsText] });
  const SURVEY_FILE = await part(of("survey"), { charset: "utf8", entryPoints: ["src/chat/survey.ts"], plugins: [...plugins, cssAsText] });
  entries[of("chat")] = { ...script, define: { ...script.define, EXTRAS_FILE, SURVEY_FILE }, mangleProps, charset: "utf8", entryPoints: ["src/chat/main.tsx"], plugins };
}
// The console, too: src/console/strings.ts imports its English words, and what the server's own pages of it say
// is for the server (chatlead/speech.py).
const consoleSpoken = {};
for (const file of readdirSync(join(here, "src/words/console")).sort()) {
  const lang = file.slice(0, 2);
  const path = join(here, "src/words/console", file);
  consoleSpoken[lang] = (await words(`console-pages/${file}`)).pages;
  const inItsPlace = { name: "words", setup: (b) => b.onResolve({ filter: /\/words\/console\/en\.ts$/ }, () => ({ path })) };
  const spoken = { ...script, charset: "utf8", plugins: [inItsPlace] };
  // What is shown by a key only is fetched when it is asked for. It brings its own Preact: two that share one would
  // need a common file that every console waits for.
  const tools = lang === "en" ? "tools.js" : `tools.${lang}.js`;
  const TOOLS_FILE = await part(tools, { ...spoken, format: "esm", entryPoints: ["src/console/tools.tsx"] });
  const define = { ...script.define, TOOLS_FILE };
  entries[lang === "en" ? "console.js" : `console.${lang}.js`] = { ...spoken, define, entryPoints: ["src/console/main.tsx"] };
}
files.set("console.words.json", Buffer.from(JSON.stringify(consoleSpoken, null, 1) + "\n"));
files.set("words.json", Buffer.from(JSON.stringify(spoken, null, 1) + "\n"));

for (const [name, options] of Object.entries(entries)) {
  if (!existsSync(join(here, options.entryPoints[0]))) continue;
  const result = await build(options);
  files.set(name, Buffer.from(result.outputFiles[0].contents));
}
for (const name of ["chat.css", "hosted.css"]) files.set(name, Buffer.from(withoutUnused(files.get(name).toString(), files.get("chat.js").toString() + files.get("extras.js") + files.get("survey.js"))));

/** A chat loads no role of the design that nothing in it names. */
function withoutUnused(css, scripts) {
  const used = new Set([...css.matchAll(/var\((--[\w-]+)/g), ...scripts.matchAll(/(--[a-z][\w-]+)/g)].map(([, name]) => name));
  const left = css.replace(/(--[\w-]+):[^;{}]*(?:;|(?=\}))/g, (whole, name) => (used.has(name) ? whole : ""));
  return left === css ? css : withoutUnused(left, scripts);
}

// The loader is offered twice: at a plain name that always is the newest, and at a name made from its
// content, which a site may pin with an integrity hash and cache for ever. A page that pinned an older one
// must go on working, so loaders.json, which is committed, lists the newest and those before it, and their
// files are taken over as they are. Only a build into static/dist itself writes to the list.
const KEPT = 4; // the newest, and the three before it
const dist = join(here, "..", "static", "dist");
const list = join(here, "loaders.json");
const loader = files.get("loader.js");
const version = createHash("sha256").update(loader).digest("hex").slice(0, 12);
const integrityOf = (body) => "sha384-" + createHash("sha384").update(body).digest("base64");
let loaders = JSON.parse(readFileSync(list, "utf8"));
if (resolve(out) === resolve(dist)) {
  // what was built here and never committed was nobody's to pin
  const older = loaders.filter((each) => each.version !== version && wasCommitted(each.version));
  loaders = [{ version, integrity: integrityOf(loader) }, ...older].slice(0, KEPT);
  writeFileSync(list, JSON.stringify(loaders, null, 2) + "\n");
}
for (const each of loaders) {
  const name = `loader.${each.version}.js`;
  const body = each.version === version ? loader : readFileSync(join(dist, name));
  if (integrityOf(body) !== each.integrity) throw new Error(`${name} is not what frontend/loaders.json says`);
  files.set(name, body);
}
files.set(`loader.${version}.js`, loader);

/** As templates write it behind a file's name. */
function versionOf(name) {
  const digest = createHash("sha384").update(files.get(name)).digest("base64");
  return digest.replace(/[^A-Za-z0-9]/g, "").slice(0, 12);
}

/** Without git everything counts: a copy of the sources was released as it is. */
function wasCommitted(older) {
  const git = (...words) => spawnSync("git", ["-C", here, ...words], { stdio: "ignore" }).status;
  return git("rev-parse", "HEAD") !== 0 || git("cat-file", "-e", `HEAD:static/dist/loader.${older}.js`) === 0;
}

const manifest = {};
for (const name of [...files.keys()].sort()) {
  const body = files.get(name);
  manifest[name] = {
    integrity: integrityOf(body),
    bytes: body.length,
    gzip: gzipSync(body, { level: 9 }).length,
  };
}

mkdirSync(out, { recursive: true });
for (const old of readdirSync(out)) if (!files.has(old)) rmSync(join(out, old));
for (const [name, body] of files) writeFileSync(join(out, name), body);
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
for (const [name, { bytes, gzip }] of Object.entries(manifest)) console.log(`${name}  ${bytes} bytes, ${gzip} gz`);
