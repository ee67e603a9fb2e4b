/** The log: to Live's own (ExtensionHost.txt), and to retake.log in the storage folder, restarted when it is long. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const LONGEST_BYTES = 200_000;

class Diary {
  /** @param {string | undefined} folder */
  constructor(folder) {
    this.file = folder ? path.join(folder, "retake.log") : null;
  }

  note(sentence) {
    console.log(`[retake] ${sentence}`);
    if (this.file === null) return;
    try {
      const isLong = fs.existsSync(this.file) && fs.statSync(this.file).size > LONGEST_BYTES;
      fs.writeFileSync(this.file, `${new Date().toISOString()} ${sentence}\n`, { flag: isLong ? "w" : "a" });
    } catch (error) {
      console.log(`[retake] no log: ${error}`);
    }
  }
}

module.exports = { Diary };
