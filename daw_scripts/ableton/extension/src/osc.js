/** OSC 1.0 messages to bytes and back: the types that Retake's protocol uses, nothing else. No socket. */
"use strict";

const { Buffer } = require("node:buffer");

/** @typedef {["i" | "h" | "f" | "d" | "s", number | string]} Argument A type tag and its value. */
/** @typedef {{address: string, args: (number | string | boolean)[]}} Message */

const WRITERS = {
  i: (value) => fixed(4, (bytes) => bytes.writeInt32BE(value)),
  h: (value) => fixed(8, (bytes) => bytes.writeBigInt64BE(BigInt(value))),
  f: (value) => fixed(4, (bytes) => bytes.writeFloatBE(value)),
  d: (value) => fixed(8, (bytes) => bytes.writeDoubleBE(value)),
  s: padded,
};

const READERS = {
  i: (bytes, at) => [bytes.readInt32BE(at), at + 4],
  h: (bytes, at) => [Number(bytes.readBigInt64BE(at)), at + 8],
  f: (bytes, at) => [bytes.readFloatBE(at), at + 4],
  d: (bytes, at) => [bytes.readDoubleBE(at), at + 8],
  s: readText,
  T: (_bytes, at) => [true, at],
  F: (_bytes, at) => [false, at],
};

function fixed(size, write) {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return bytes;
}

/** A string, ended by a zero and filled up to four bytes; a zero inside it would end it early. */
function padded(text) {
  const bytes = Buffer.from(String(text).replaceAll("\0", " "), "utf8");
  return Buffer.concat([bytes, Buffer.alloc(4 - (bytes.length % 4))]);
}

function readText(bytes, at) {
  const end = bytes.indexOf(0, at);
  if (end < 0) throw new RangeError("a string without an end");
  return [bytes.toString("utf8", at, end), end + 4 - ((end - at) % 4)];
}

/**
 * Write a message.
 * @param {string} address
 * @param {Argument[]} args
 */
function encode(address, args) {
  const tags = args.map(([tag]) => tag).join("");
  const values = args.map(([tag, value]) => WRITERS[tag](value));
  return Buffer.concat([padded(address), padded(`,${tags}`), ...values]);
}

/**
 * Read a message; null for what is none.
 * @param {Buffer} bytes
 * @returns {Message | null}
 */
function decode(bytes) {
  try {
    const [address, afterAddress] = readText(bytes, 0);
    if (!address.startsWith("/")) return null;
    let [tags, at] = readText(bytes, afterAddress);
    const args = [];
    for (const tag of tags.slice(1)) {
      const [value, next] = READERS[tag](bytes, at);
      args.push(value);
      at = next;
    }
    return { address, args };
  } catch {
    return null;
  }
}

module.exports = { encode, decode };
