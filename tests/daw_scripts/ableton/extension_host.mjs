/** Live's extension host, as strict as the real one: one bundle in a context without web globals, its files fenced in. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { LiveSet } from "./live_set.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCE = join(HERE, "..", "..", "..", "daw_scripts", "ableton", "extension");
const ALLOWED = ["node:buffer", "node:crypto", "node:dgram", "node:fs", "node:path", "node:timers"];
const real = createRequire(import.meta.url);

/** Read a datagram as the extension reads one. */
export const { decode } = real(join(SOURCE, "src", "osc.js"));
export const AUDIO = process.env.RETAKE_TEST_AUDIO;
export const RUNTIME = process.env.RETAKE_TEST_RUNTIME;

/** Build the extension as a user does. */
export function build(folder) {
  const command = [join(SOURCE, "build.mjs"), "--sdk", join(HERE, "strict_sdk"), "--folder", folder];
  execFileSync(process.execPath, command, { stdio: "pipe" });
  return folder;
}

/** `node:fs`, as far as the sandbox lets it be used. */
function fencedFiles({ readable, writable }) {
  const within = (folders, path) => folders.some((folder) => resolve(path).startsWith(folder + sep));
  const fence = (folders, ...paths) => {
    const outside = paths.find((path) => !within(folders, path));
    if (outside !== undefined) throw Object.assign(new Error(`no access to ${outside}`), { code: "ERR_ACCESS_DENIED" });
  };
  const fs = real("node:fs");
  const readers = ["readFileSync", "existsSync", "statSync"].map((name) => {
    return [name, (path, ...rest) => { if (path) fence(readable, path); return fs[name](path, ...rest); }];
  });
  const writers = ["writeFileSync", "mkdirSync"].map((name) => {
    return [name, (path, ...rest) => { fence(writable, path); return fs[name](path, ...rest); }];
  });
  const renameSync = (from, to) => { fence(writable, from, to); return fs.renameSync(from, to); };
  return strictly("node:fs", { ...Object.fromEntries([...readers, ...writers]), renameSync });
}

/** A socket on loopback; what it sends is written down for the protocol's own parser, some of it may be lost. */
function watchedSockets(host) {
  const createSocket = (kind) => {
    assert.equal(kind, "udp4");
    const socket = real("node:dgram").createSocket(kind);
    const send = socket.send.bind(socket);
    const bind = socket.bind.bind(socket);
    socket.bind = (port, address, done) => { assert.equal(address, "127.0.0.1"); return bind(port, address, done); };
    socket.send = (bytes, done) => {
      host.sent.push(bytes);
      appendFileSync(process.env.RETAKE_TEST_SENT, `${bytes.toString("hex")}\n`);
      if (host.lose > 0) { host.lose -= 1; done(null); } else send(bytes, done);
    };
    return socket;
  };
  return strictly("node:dgram", { createSocket });
}

function strictly(title, members) {
  return new Proxy(members, {
    get(target, name) {
      if (!(name in target)) throw new TypeError(`${title} is not to be used for ${String(name)}`);
      return target[name];
    },
  });
}

/**
 * Start the extension in a Live of its own; its folders are new, and the daemon's copy of the runtime file is there.
 * @param {{runtime?: string | null, extra?: string}} options `extra` is code that runs as if the extension held it
 */
export function startLive({ runtime = RUNTIME, extra = "" } = {}) {
  const base = mkdtempSync(join(process.env.RETAKE_TEST_FOLDER, "live-"));
  const folders = { project: join(base, "project"), temp: join(base, "Ableton Extensions", "retake.retake") };
  folders.storage = join(base, "Extensions Data", "retake.retake");
  Object.values(folders).forEach((folder) => mkdirSync(folder, { recursive: true }));
  if (runtime) copyFileSync(runtime, join(folders.storage, "runtime.json"));
  const extension = build(join(base, "Extensions", "retake.retake"));
  const writable = [dirname(folders.storage), dirname(folders.temp)];
  const live = new LiveSet({ ...folders, audio: AUDIO });
  live.sent = [];
  live.lose = 0;
  live.log = [];
  const modules = { "node:fs": fencedFiles({ readable: [...writable, dirname(extension)], writable }) };
  modules["node:dgram"] = watchedSockets(live);
  const load = (name) => {
    assert.ok(ALLOWED.includes(name), `the extension requires ${name}`);
    return modules[name] ?? real(name);
  };
  const module = { exports: {} };
  const context = { module, exports: module.exports, require: load, console: { log: (line) => live.log.push(line) } };
  vm.runInNewContext(readFileSync(join(extension, "extension.js"), "utf8") + extra, context);
  module.exports.activate({ hostApiVersion: "1.0.0", model: live });
  return live;
}
