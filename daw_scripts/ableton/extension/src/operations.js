/** What can be asked for: its words, the fields of its dialog, and its request. A new operation is one row. */
"use strict";

const crypto = require("node:crypto");

/**
 * @typedef {object} Settings what the dialog asks, and what is remembered
 * @property {string} prompt
 * @property {number} strength
 * @property {number} seed
 * @property {number} candidates
 * @property {number} seconds
 * @property {number} from_s start of what is inpainted, seconds from the clip's start
 * @property {number} to_s
 * @property {number} steps 0 leaves it to the model
 * @property {string} model empty for the daemon's own
 */

/** @type {Settings} */
const DEFAULTS = {
  prompt: "", strength: 0.5, seed: 1, candidates: 2, seconds: 5.12, from_s: 0, to_s: 1, steps: 0, model: "",
};

const SEEDS = 4294967296;

const OPERATIONS = {
  restyle: { title: "Restyle", verb: "restyle", needsClip: true, needsPrompt: true, fields: ["prompt", "strength"] },
  inpaint: { title: "Inpaint", verb: "inpaint", needsClip: true, needsPrompt: true, fields: ["prompt"] },
  generate: { title: "Generate", verb: "generate", needsClip: false, needsPrompt: true, fields: ["prompt", "seconds"] },
  upscale: { title: "Upscale", verb: "upscale", needsClip: true, needsPrompt: false, fields: ["prompt"] },
  vary: { title: "More like this", verb: "vary", needsClip: true, needsPrompt: false, fields: ["prompt", "strength"] },
};
const SHARED_FIELDS = ["seed", "candidates", "steps", "model"];

/**
 * The fixed arguments and keys that only this operation has.
 * @param {string} name
 * @param {Settings} settings
 * @param {Source} source
 * @returns {import("./osc").Argument[]}
 */
function ownArguments(name, settings, source) {
  const prompt = ["s", settings.prompt];
  const strength = [["s", "strength"], ["d", settings.strength]];
  const optionalPrompt = settings.prompt ? [["s", "prompt"], prompt] : [];
  switch (name) {
    case "generate":
      return [prompt, ["s", "seconds"], ["d", settings.seconds]];
    case "restyle":
      return [["s", source.clip], prompt, ...part(source), ...strength];
    case "vary":
      return [["s", source.clip], ...part(source), ...strength, ...optionalPrompt];
    case "upscale":
      return [["s", source.clip], ...part(source), ...optionalPrompt];
    default:
      return [["s", source.clip], prompt, ["d", source.region.start_s], ["d", source.region.end_s]];
  }
}

/** @typedef {{clip?: string, part?: Span, region?: Span}} Source what a request works on */
/** @typedef {{start_s: number, end_s: number}} Span seconds of the clip */

function part(source) {
  if (!source.part) return [];
  return [["s", "start_s"], ["d", source.part.start_s], ["s", "end_s"], ["d", source.part.end_s]];
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
  const keys = [["s", "seed"], ["h", settings.seed], ["s", "candidates"], ["i", settings.candidates]];
  if (settings.steps) keys.push(["s", "steps"], ["i", settings.steps]);
  if (settings.model) keys.push(["s", "model"], ["s", settings.model]);
  keys.push(["s", "output_dir"], ["s", outputFolder], ["s", "client"], ["s", "Ableton Live"]);
  return {
    address: `/retake/${OPERATIONS[name].verb}`,
    job: `live-${crypto.randomUUID()}`,
    args: [...ownArguments(name, settings, source), ...keys],
  };
}

/** The same once more, with the seed after. */
function withNextSeed(settings) {
  return { ...settings, seed: (settings.seed + 1) % SEEDS };
}

/** How a take is called: what was done, with which words and seed. */
function takeName(name, settings, index, count) {
  const words = [OPERATIONS[name].title, settings.prompt, `seed ${settings.seed}`].filter(Boolean);
  return count > 1 ? `${words.join(" · ")} · ${index + 1}/${count}` : words.join(" · ");
}

module.exports = { OPERATIONS, SHARED_FIELDS, DEFAULTS, SEEDS, requestFor, withNextSeed, takeName };
