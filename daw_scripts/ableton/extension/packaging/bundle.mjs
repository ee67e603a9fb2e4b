/** Our modules and the SDK's as one CommonJS file: each in a function of its own, none run before it is required. */
import { posix } from "node:path";

const REQUIRE = /\brequire\(\s*(["'])([^"']+)\1\s*\)/g;
const SDK = "@ableton-extensions/sdk";
const START = "retake/ableton/extension/src/extension.js";

/** Where the SDK's package.json says that its CommonJS module is. */
export function commonJsEntry(files) {
  const manifest = JSON.parse(String(files.get("package.json") ?? "{}"));
  const door = manifest.exports?.["."] ?? manifest.exports;
  const found = [door?.require?.default, door?.require, door?.default, manifest.main, "dist/index.cjs"]
    .filter((path) => typeof path === "string" && !path.endsWith(".mjs"))
    .map((path) => posix.normalize(path));
  const entry = found.find((path) => files.has(path));
  if (!entry) throw new Error("this is not the Extensions SDK: it has no CommonJS module (looked for dist/index.cjs)");
  return entry;
}

/**
 * @param {Map<string, Buffer>} ours our files by their places in the folder of scripts
 * @param {Map<string, Buffer>} sdk files of the SDK's package
 * @returns {string} one module that exports `activate`
 */
export function bundle(ours, sdk) {
  const modules = new Map();
  const files = new Map();
  for (const [name, content] of ours) files.set(`retake/${name}`, content);
  for (const [name, content] of sdk) files.set(`sdk/${name}`, content);
  collect(START, files, `sdk/${commonJsEntry(sdk)}`, modules);
  const texts = [...modules].map(([name, { text, links }]) => {
    return `${JSON.stringify(name)}: [${JSON.stringify(links)}, (module, exports, require) => {\n${text}\n}]`;
  });
  return `"use strict";
const modules = {\n${texts.join(",\n")}\n};
const loaded = {};
function load(name) {
  if (!loaded[name]) {
    const [links, run] = modules[name];
    loaded[name] = { exports: {} };
    run(loaded[name], loaded[name].exports, (asked) => (links[asked] ? load(links[asked]) : require(asked)));
  }
  return loaded[name].exports;
}
module.exports = load(${JSON.stringify(START)});
`;
}

function collect(name, files, sdkEntry, modules) {
  if (modules.has(name)) return;
  const links = {};
  const text = name.endsWith(".json") ? `module.exports = ${files.get(name)};` : String(files.get(name));
  modules.set(name, { text, links });
  for (const [, , asked] of text.matchAll(REQUIRE)) {
    if (asked === SDK) links[asked] = sdkEntry;
    else if (asked.startsWith(".")) links[asked] = resolve(name, asked, files);
    else if (!asked.startsWith("node:")) throw new Error(`${name} requires ${asked}, which is not part of the package`);
    if (links[asked]) collect(links[asked], files, sdkEntry, modules);
  }
}

function resolve(from, asked, files) {
  const path = posix.join(posix.dirname(from), asked);
  const found = [path, `${path}.js`, `${path}.cjs`, `${path}/index.js`].find((candidate) => files.has(candidate));
  if (!found) throw new Error(`${from} requires ${asked}, which is not there`);
  return found;
}
