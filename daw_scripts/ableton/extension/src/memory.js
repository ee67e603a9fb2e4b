/** The settings of each operation and the last request, kept in the extension's storage folder. */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { OPERATIONS, settingsOf } = require("./operations");

/** @typedef {{operation: string, settings: import("./operations").Settings}} Choice */

class Memory {
  /** @param {string | undefined} folder nothing is kept without one */
  constructor(folder) {
    this.file = folder ? path.join(folder, "settings.json") : null;
    this.content = { settings: {}, last: null };
    try {
      this.content = { ...this.content, ...JSON.parse(fs.readFileSync(this.file ?? "", "utf8")) };
    } catch {
      // The first time there is no such file; a damaged one is replaced.
    }
  }

  /** @returns {import("./operations").Settings} */
  settingsOf(operation) {
    return settingsOf(operation, this.content.settings[operation]);
  }

  /** @returns {Choice | null} */
  get last() {
    const { last } = this.content;
    if (!last || !(last.operation in OPERATIONS)) return null;
    return { operation: last.operation, settings: settingsOf(last.operation, last.settings) };
  }

  /** @param {Choice} choice */
  remember(choice) {
    this.content.settings[choice.operation] = choice.settings;
    this.content.last = choice;
    if (this.file === null) return;
    fs.mkdirSync(path.dirname(this.file), { recursive: true });
    fs.writeFileSync(this.file, JSON.stringify(this.content, null, 1));
  }
}

module.exports = { Memory };
