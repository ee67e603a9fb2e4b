// Prints every request that Live's extension can make, one datagram a line, in hexadecimal digits.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const source = `${process.argv[2]}/`;
const { DEFAULTS, OPERATIONS, requestFor, withNextSeed } = require(`${source}operations.js`);
const { encode } = require(`${source}osc.js`);

const span = { start_s: 0, end_s: 1.5 };
const sources = [{ clip: "/clip.wav", region: span }, { clip: "/clip.wav", part: span, region: span }];
const wishes = [
  { ...DEFAULTS, prompt: "rain" },
  { ...DEFAULTS, prompt: "rain", steps: 12, model: "nano", strength: 1, seconds: 30 },
  withNextSeed({ ...DEFAULTS, prompt: "rain", seed: 4294967294, candidates: 16 }),
];
for (const [name, { needsPrompt }] of Object.entries(OPERATIONS)) {
  for (const wish of needsPrompt ? wishes : [...wishes, DEFAULTS]) {
    for (const from of sources) {
      const { address, job, args } = requestFor(name, wish, from, "/folder");
      console.log(encode(address, [["s", job], ...args, ["s", "token"], ["s", "secret"]]).toString("hex"));
    }
  }
}
