/** Files on their way: where results go before Live copies them into its project, and renders under names of their own. */
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { RetakeError } = require("./errors");

const LONGEST_NAME = 40;

/** The folder for results: the extension's temporary one, which Live may clear. */
function scratchFolder(environment) {
  const folder = environment.tempDirectory ?? environment.storageDirectory;
  if (!folder) throw new RetakeError("Live gave this extension no folder of its own.", "Update Live, then try again.");
  return path.join(folder, "takes");
}

/**
 * Move a render out of the way of the next one, which Live may write under the same name within the same second.
 * Where that is not allowed (Live's first start after a reboot), it stays where it is.
 * @returns {string} where it is now
 */
function moveAway(render, folder, trackName) {
  const plain = trackName.replace(/[^\p{L}\p{N} ._-]+/gu, " ").trim().slice(0, LONGEST_NAME) || "track";
  const target = path.join(folder, crypto.randomUUID(), `${plain}${path.extname(render)}`);
  try {
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(render, target);
    return target;
  } catch {
    return render;
  }
}

module.exports = { scratchFolder, moveAway };
