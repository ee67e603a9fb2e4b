/** The settings of each operation and the last request, kept in the extension's storage folder. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { DEFAULTS } = require("./operations");

/** @typedef {{operation: string, settings: import("./operations").Settings}} Wish */

class Memory {
  /** @param {string | undefined} folder nothing is kept without one */
  constructor(folder) {
    this.file = folder ? path.join(folder, "settings.json") : null;
    this.content = { settings: {}, last: null };
    try {
      this.content = { ...this.content, ...JSON.parse(fs.readFileSync(this.file ?? "", "utf8")) };
    } catch {
      // The first time there is no such file; a damaged one is begun anew.
    }
  }

  /** @returns {import("./operations").Settings} */
  settingsOf(operation) {
    return { ...DEFAULTS, ...this.content.settings[operation] };
  }

  /** @returns {Wish | null} */
  get last() {
    return this.content.last;
  }

  /** @param {Wish} wish */
  remember(wish) {
    this.content.settings[wish.operation] = wish.settings;
    this.content.last = wish;
    if (this.file === null) return;
    fs.mkdirSync(path.dirname(this.file), { recursive: true });
    fs.writeFileSync(this.file, JSON.stringify(this.content, null, 1));
  }
}

module.exports = { Memory };
