/** What is asked of the musician: the fields of each operation; and messages. */
"use strict";

const { fieldsOf, isAllowed, OPERATIONS } = require("./operations");
const { RetakeError } = require("./errors");
const { pageUrl } = require("./page");

const WIDTH = 460;
const ROW_HEIGHT = 40;
const BARE_HEIGHT = 200;

/** What a field says about its numbers, beside its label. */
function range({ kind, unit, min, max }) {
  if (kind !== "integer" && kind !== "float") return "";
  const limits = min !== undefined && max !== undefined && max <= 1000 ? `${min}–${max}` : "";
  const words = [limits, unit].filter(Boolean).join(" ");
  return words && ` (${words})`;
}

/** A field of the table as a row of the page. @returns {import("./page").Field} */
function rowOf(field, value) {
  const isNumber = field.kind === "integer" || field.kind === "float";
  const isTicked = field.kind === "switch" || field.kind === "path";
  const kind = field.choices ? "choice" : isNumber ? "number" : isTicked ? "switch" : "text";
  const step = field.kind === "integer" ? 1 : field.max === 1 ? 0.05 : "any";
  return {
    name: field.name,
    label: `${field.label}${range(field)}`,
    kind,
    value,
    hint: field.whenEmpty,
    ...(isNumber && { min: field.min, max: field.max, step }),
    ...(field.choices && { choices: field.choices }),
  };
}

/**
 * Ask for the settings of an operation; null when the musician cancels.
 * @param {object} ui
 * @param {string} operation
 * @param {import("./operations").Settings} settings what is proposed
 * @param {{lines: string[], asksRegion: boolean, hasClip: boolean}} also what else to say and to ask
 * @returns {Promise<import("./operations").Settings | null>}
 */
async function askSettings(ui, operation, settings, { lines, asksRegion, hasClip }) {
  const { title, needsPrompt } = OPERATIONS[operation];
  const { first, more } = fieldsOf(operation, { asksRegion, hasClip });
  const rows = (fields) => fields.map((field) => rowOf(field, settings[field.name]));
  const form = { title: `Retake: ${title}`, lines, fields: rows(first), more: rows(more), go: title, mayCancel: true };
  const height = BARE_HEIGHT + ROW_HEIGHT * first.length;
  const answer = read(await ui.showModalDialog(pageUrl(form), WIDTH, height));
  if (answer === null) return null;
  const chosen = { ...settings };
  for (const field of [...first, ...more]) chosen[field.name] = checked(field, answer[field.name]);
  if (needsPrompt && !chosen.prompt) {
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

function checked(field, answer) {
  const value = typeof answer === "string" && !field.choices ? answer.trim() : answer ?? null;
  if (isAllowed(field, value)) return value;
  throw new RetakeError(`“${field.label}” is ${value}; expected ${expected(field)}.`, "Choose the entry again and change it.");
}

function expected({ kind, min, max, choices }) {
  if (choices) return `one of ${choices.join(", ")}`;
  const number = `a ${kind === "integer" ? "whole " : ""}number`;
  if (max !== undefined) return `${number} from ${min} to ${max}`;
  return min === undefined ? number : `${number} of ${min} or more`;
}

/** Show something that has to be read. */
async function show(ui, title, ...lines) {
  const form = { title, lines, fields: [], more: [], go: "Close", mayCancel: false };
  const height = BARE_HEIGHT + Math.ceil(lines.join("\n").length / 2);
  await ui.showModalDialog(pageUrl(form), WIDTH, Math.min(height, 600));
}

module.exports = { askSettings, show };
