/** How arguments are checked: by count and by type, objects key by key. */
"use strict";

/** Note what was done wrong, and throw. */
function offend(model, sentence) {
  model.offences.push(sentence);
  throw new TypeError(sentence);
}

/** The type of an object with exactly these keys; one that ends in “?” may be missing, but not undefined. */
function shape(keys) {
  return { keys };
}

function fits(type, value) {
  if (typeof type === "function") return value instanceof type;
  if (typeof type === "string") return typeof value === type && (type !== "number" || Number.isFinite(value));
  if (typeof value !== "object" || value === null) return false;
  const known = Object.entries(type.keys).map(([key, kind]) => [key.replace("?", ""), kind, key.endsWith("?")]);
  const isComplete = known.every(([key, kind, isOptional]) => (key in value ? fits(kind, value[key]) : isOptional));
  return isComplete && Object.keys(value).every((key) => known.some(([name]) => name === key));
}

/** Check the arguments of a call; "..." stands for any number of any type. */
function check(model, name, types, args) {
  const isOpen = types.at(-1) === "...";
  const expected = isOpen ? types.slice(0, -1) : types;
  if (isOpen ? args.length < expected.length : args.length !== expected.length) {
    offend(model, `${name} takes ${expected.length} arguments, not ${args.length}`);
  }
  expected.forEach((type, index) => {
    if (!fits(type, args[index])) offend(model, `${name}: argument ${index + 1} is of the wrong type: ${args[index]}`);
  });
}

module.exports = { check, offend, shape };
