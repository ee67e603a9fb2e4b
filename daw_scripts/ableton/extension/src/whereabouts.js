/** Where the daemon listens: read from its copy of the runtime file in this extension's storage folder. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { noWhereabouts, RetakeError } = require("./errors");

/** @typedef {{host: string, port: number, token: string}} Whereabouts */

/**
 * @param {string | undefined} storageDirectory the only lasting folder that the sandbox lets us read
 * @returns {Whereabouts}
 */
function readWhereabouts(storageDirectory) {
  if (!storageDirectory) throw noWhereabouts("");
  const file = path.join(storageDirectory, "runtime.json");
  let found;
  try {
    found = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    throw noWhereabouts(file);
  }
  const { host, port, token } = found;
  if (host !== "127.0.0.1" || !Number.isInteger(port) || typeof token !== "string") {
    throw new RetakeError(`${file} does not say where Retake is.`, "Restart Retake: it writes that file again.");
  }
  return { host, port, token };
}

module.exports = { readWhereabouts };
