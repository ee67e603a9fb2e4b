// Prints every request that Live's extension can make, one datagram a line, in hexadecimal digits.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const source = `${process.argv[2]}/`;
const { OPERATIONS, requestFor, settingsOf, withNextSeed } = require(`${source}operations.js`);
const { encode } = require(`${source}osc.js`);

const span = { start_s: 0, end_s: 1.5 };
const sources = [{ clip: "/clip.wav", region: span }, { clip: "/clip.wav", part: span, region: span }];
const followed = { follow: "/clip.wav" };
/** A value of each kind that the dialog may give, other than the default. */
const OTHER = {
  integer: ({ max }) => max, float: ({ max }) => max, switch: () => true, path: () => true, string: ({ choices }) => choices?.at(-1) ?? "rain",
  bits: ({ choices }) => choices[0],
};

function settingsToTry(name) {
  const defaults = { ...settingsOf(name), prompt: "rain" };
  const others = [...OPERATIONS[name].fields.values()].map((field) => [field.name, OTHER[field.kind](field)]);
  const last = withNextSeed(name, { ...defaults, seed: 4294967294, candidates: 16 });
  return [defaults, { ...defaults, ...Object.fromEntries(others) }, last];
}

for (const [name, { needsPrompt }] of Object.entries(OPERATIONS)) {
  const tried = settingsToTry(name);
  for (const settings of needsPrompt ? tried : [...tried, settingsOf(name)]) {
    for (const from of name === "generate" ? [...sources, followed] : sources) {
      const { address, job, args } = requestFor(name, settings, from, "/folder");
      console.log(encode(address, [["s", job], ...args, ["s", "token"], ["s", "secret"]]).toString("hex"));
    }
  }
}
