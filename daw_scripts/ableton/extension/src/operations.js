/** What can be asked for: each operation's fields as the table of operations describes them, and its request. */
"use strict";

const crypto = require("node:crypto");
const table = require("../../../shared/operations.json");

/** @typedef {Record<string, string | number | boolean | null>} Settings answers by field; null leaves it to Retake */
/** @typedef {{clip?: string, part?: Span, region?: Span, follow?: string}} Source what a request works on */
/** @typedef {{start_s: number, end_s: number}} Span seconds of the clip */

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {"string" | "integer" | "float" | "switch" | "bits" | "path"} kind a path is that of the chosen clip: whether to use it
 * @property {string} unit
 * @property {number} [min]
 * @property {number} [max]
 * @property {string[]} [choices]
 * @property {string | number | boolean | null} initial what it says before anybody has answered it
 * @property {boolean} isRequired
 * @property {string} whenEmpty what an empty field means
 */

const SURFACE = "live_extension";
const LARGEST_32_BIT = 2 ** 31 - 1;
/** Where a region of a clip is proposed; the table has no default, since they have to be said. */
const REGION = { start_s: 0, end_s: 1 };

/** What is asked only where there is a clip to follow. */
const FOLLOWING = ["follow", "follow_what"];

/** The fields that a dialog shows at once; the others of the table are below “More settings”. */
const FIRST = ["prompt", "strength", "structure", "seconds", "follow", "follow_what", "start_s", "end_s", "seed", "candidates"];

/** @returns {Field} */
function fieldOf(name, row, required) {
  const isText = row["x-kind"] === "string" && !row.enum;
  return {
    name,
    label: row["x-label"],
    kind: row["x-kind"],
    unit: row["x-unit"],
    min: row.minimum,
    max: row.maximum,
    choices: row.enum,
    initial: row.default ?? REGION[name] ?? (row["x-kind"] === "path" ? false : isText ? "" : null),
    isRequired: required.includes(name),
    whenEmpty: row["x-default"] ?? "",
  };
}

function operationOf({ address, label, fixed, required, properties }) {
  const rows = Object.entries({ ...properties, ...table.job.properties });
  const here = rows.filter(([, row]) => row["x-surfaces"].includes(SURFACE));
  const fields = here.map(([name, row]) => fieldOf(name, row, required));
  return {
    address,
    title: label,
    fixed: fixed.filter((name) => name !== "job"),
    needsClip: fixed.includes("clip"),
    needsPrompt: required.includes("prompt"),
    fields: new Map(fields.map((field) => [field.name, field])),
  };
}

const OPERATIONS = Object.fromEntries(Object.entries(table.operations).map(([name, row]) => [name, operationOf(row)]));

/** The fields of a dialog: the first ones in their order, and the others. */
function fieldsOf(operation, { asksRegion, hasClip }) {
  const all = [...OPERATIONS[operation].fields.values()]
    .filter(({ name }) => (asksRegion || !(name in REGION)) && (hasClip || !FOLLOWING.includes(name)));
  const first = FIRST.flatMap((name) => all.filter((field) => field.name === name));
  return { first, more: all.filter((field) => !first.includes(field)) };
}

/** Whether a value may be the answer of a field. */
function isAllowed(field, value) {
  if (value === null) return !field.isRequired && field.initial === null;
  if (field.choices) return field.choices.includes(value);
  if (field.kind === "string") return typeof value === "string";
  if (field.kind === "switch" || field.kind === "path") return typeof value === "boolean";
  const isInside = typeof value === "number" && value >= (field.min ?? -Infinity) && value <= (field.max ?? Infinity);
  return isInside && (field.kind === "float" || Number.isInteger(value));
}

/**
 * The settings of an operation: what is remembered, where the table allows it, and otherwise the defaults.
 * @param {string} operation
 * @param {object} [remembered]
 * @returns {Settings}
 */
function settingsOf(operation, remembered = {}) {
  const rows = [...OPERATIONS[operation].fields.values()].map((field) => {
    const value = remembered[field.name];
    return [field.name, value !== undefined && isAllowed(field, value) ? value : field.initial];
  });
  return Object.fromEntries(rows);
}

/** @returns {import("./osc").Argument} */
function argument({ kind, max }, value) {
  if (kind === "string") return ["s", value];
  if (kind === "float") return ["d", value];
  return max > LARGEST_32_BIT ? ["h", value] : ["i", Number(value)];
}

/** The keys that a request carries: what was answered, and what differs from leaving it out. */
function keysOf({ fields, fixed }, settings) {
  return [...fields.values()].flatMap((field) => {
    const value = settings[field.name];
    const isLeftOut = value === null || value === undefined || value === "" || value === false || field.kind === "path";
    if (isLeftOut || fixed.includes(field.name)) return [];
    return [["s", field.name], argument(field, value)];
  });
}

/** What is asked for: a sound that follows a clip is as long as it, and one that follows none has nothing to follow. */
function fitting(settings, { follow }) {
  const { seconds, follow_what, ...others } = settings;
  return follow ? { ...others, follow_what } : { ...others, seconds };
}

function spanKeys(span) {
  return span ? [["s", "start_s"], ["d", span.start_s], ["s", "end_s"], ["d", span.end_s]] : [];
}

/**
 * The request for a job of its own.
 * @param {string} name of the operation
 * @param {Settings} settings
 * @param {Source} source
 * @param {string} outputFolder
 * @returns {import("./conversation").Request}
 */
function requestFor(name, settings, source, outputFolder) {
  const operation = OPERATIONS[name];
  const given = { clip: ["s", source.clip], prompt: ["s", settings.prompt] };
  if (source.region) Object.assign(given, { start_s: ["d", source.region.start_s], end_s: ["d", source.region.end_s] });
  const part = operation.needsClip && !operation.fixed.includes("start_s") ? spanKeys(source.part) : [];
  const followed = source.follow ? [["s", "follow"], ["s", source.follow]] : [];
  const own = [["s", "output_dir"], ["s", outputFolder], ["s", "client"], ["s", "Ableton Live"]];
  return {
    address: operation.address,
    job: `live-${crypto.randomUUID()}`,
    args: [...operation.fixed.map((key) => given[key]), ...part, ...keysOf(operation, fitting(settings, source)), ...followed, ...own],
  };
}

/** The same once more, with the seed after. */
function withNextSeed(operation, settings) {
  const { min, max } = OPERATIONS[operation].fields.get("seed");
  return { ...settings, seed: settings.seed < max ? settings.seed + 1 : min };
}

/** How a take is called: what was done, with which words and seed. */
function takeName(name, settings, index, count) {
  const words = [OPERATIONS[name].title, settings.prompt, `seed ${settings.seed}`].filter(Boolean);
  return count > 1 ? `${words.join(" · ")} · ${index + 1}/${count}` : words.join(" · ");
}

module.exports = { OPERATIONS, fieldsOf, isAllowed, settingsOf, requestFor, withNextSeed, takeName };
