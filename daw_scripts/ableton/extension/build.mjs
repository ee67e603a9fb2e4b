/** Makes Retake.ablx, or an unpacked folder for Live, from these sources and the user's own copy of the Extensions SDK. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readTgz, writeZip } from "./packaging/archives.mjs";
import { bundle } from "./packaging/bundle.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
/** Each file of the bundle by its place in Retake's folder of scripts, so that relative paths lead where they do there. */
const SOURCES = { "ableton/extension/src": join(HERE, "src"), shared: join(HERE, "..", "..", "shared") };
const USAGE = `usage: node build.mjs --sdk ableton-extensions-sdk-….tgz [--out Retake.ablx | --folder FOLDER]
  --sdk     the SDK's .tgz from Ableton, or the folder that it unpacks to
  --out     where the package goes (default: Retake.ablx here)
  --folder  an unpacked extension instead, such as Live's …/Ableton/Extensions/retake.retake`;

/** @returns {Map<string, Buffer>} every file under a folder by its path with slashes */
function readFolder(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files.set(relative(folder, path).split(sep).join("/"), readFileSync(path));
  }
  return files;
}

function readSdk(path) {
  if (!existsSync(path)) throw new Error(`there is no SDK at ${path}`);
  return statSync(path).isDirectory() ? readFolder(path) : readTgz(readFileSync(path));
}

/** @returns {Map<string, Buffer>} our own modules, and the table of operations */
function readSources() {
  const files = Object.entries(SOURCES).map(([place, folder]) => {
    return [...readFolder(folder)].map(([name, content]) => [`${place}/${name}`, content]);
  });
  return new Map(files.flat());
}

function build({ sdk, out, folder }) {
  const files = new Map([["manifest.json", readFileSync(join(HERE, "manifest.json"))]]);
  const { entry } = JSON.parse(String(files.get("manifest.json")));
  files.set(entry, Buffer.from(bundle(readSources(), readSdk(resolve(sdk)))));
  if (!folder) {
    const target = resolve(out ?? "Retake.ablx");
    writeFileSync(target, writeZip(files));
    return target;
  }
  mkdirSync(resolve(folder), { recursive: true });
  for (const [name, content] of files) writeFileSync(join(resolve(folder), name), content);
  return resolve(folder);
}

const options = { sdk: { type: "string" }, out: { type: "string" }, folder: { type: "string" } };
try {
  const { values } = parseArgs({ options });
  if (!values.sdk) throw new Error(`which SDK?\n${USAGE}`);
  console.log(`wrote ${build(values)}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
