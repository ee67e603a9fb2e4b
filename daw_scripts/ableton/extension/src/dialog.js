/** What is asked of the musician, and what is told: the fields of each operation, and messages. */
"use strict";

const { OPERATIONS, SEEDS, SHARED_FIELDS } = require("./operations");
const { RetakeError } = require("./errors");
const { pageUrl } = require("./page");

const WIDTH = 460;
const ROW_HEIGHT = 40;
const BARE_HEIGHT = 170;

/** @type {Record<string, Omit<import("./page").Field, "name" | "value"> & {isWhole?: boolean}>} */
const FIELDS = {
  prompt: { label: "Sounds like", kind: "text" },
  strength: { label: "Strength 0–1", kind: "number", min: 0, max: 1, step: 0.05 },
  seconds: { label: "Seconds", kind: "number", min: 0.1, max: 600, step: "any" },
  from_s: { label: "From (seconds)", kind: "number", min: 0, max: 36_000, step: "any" },
  to_s: { label: "To (seconds)", kind: "number", min: 0, max: 36_000, step: "any" },
  seed: { label: "Seed", kind: "number", min: 0, max: SEEDS - 1, step: 1, isWhole: true },
  candidates: { label: "Takes", kind: "number", min: 1, max: 16, step: 1, isWhole: true },
  steps: { label: "Steps (0: default)", kind: "number", min: 0, max: 1000, step: 1, isWhole: true },
  model: { label: "Model (if another)", kind: "text" },
};

/**
 * Ask for the settings of an operation; null when the musician cancels.
 * @param {object} ui
 * @param {string} operation
 * @param {import("./operations").Settings} settings what is proposed
 * @param {{lines: string[], fields: string[]}} also what else to say and to ask
 * @returns {Promise<import("./operations").Settings | null>}
 */
async function askSettings(ui, operation, settings, also) {
  const { title, fields } = OPERATIONS[operation];
  const names = [...fields, ...also.fields, ...SHARED_FIELDS];
  const rows = names.map((name) => ({ name, value: settings[name], ...FIELDS[name] }));
  const form = { title: `Retake: ${title}`, lines: also.lines, fields: rows, go: title, mayCancel: true };
  const height = BARE_HEIGHT + ROW_HEIGHT * names.length;
  const answer = read(await ui.showModalDialog(pageUrl(form), WIDTH, height));
  if (answer === null) return null;
  const chosen = { ...settings };
  for (const name of names) chosen[name] = checked(name, answer[name]);
  if (OPERATIONS[operation].needsPrompt && !chosen.prompt) {
    throw new RetakeError("There are no words that say what it should sound like.", "Write a few, such as “heavy rain”.");
  }
  return chosen;
}

/** The answer of the page; a dialog that was closed otherwise counts as cancelled. */
function read(text) {
  try {
    const { action, settings } = JSON.parse(text);
    return action === "go" ? settings : null;
  } catch {
    return null;
  }
}

function checked(name, value) {
  const { kind, label, min, max, isWhole } = FIELDS[name];
  if (kind === "text") return String(value ?? "").trim();
  if (typeof value !== "number" || !(value >= min && value <= max) || (isWhole && !Number.isInteger(value))) {
    const expected = `a ${isWhole ? "whole " : ""}number from ${min} to ${max}`;
    throw new RetakeError(`“${label}” is ${value}; expected ${expected}.`, "Choose the entry again and change it.");
  }
  return value;
}

/** Tell something that has to be read. */
async function tell(ui, title, ...lines) {
  const form = { title, lines, fields: [], go: "Close", mayCancel: false };
  const height = BARE_HEIGHT + Math.ceil(lines.join("\n").length / 2);
  await ui.showModalDialog(pageUrl(form), WIDTH, Math.min(height, 600));
}

module.exports = { askSettings, tell };
