/** The two kinds of archive that building needs: the SDK's .tgz is read, our .ablx (a zip) is written. */
import { deflateRawSync, gunzipSync } from "node:zlib";

const BLOCK = 512;

/** @returns {Map<string, Buffer>} the files of a .tgz by their names, without its first folder */
export function readTgz(bytes) {
  const tar = gunzipSync(bytes);
  const files = new Map();
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const header = tar.subarray(at, at + BLOCK);
    const size = parseInt(text(header, 124, 12), 8) || 0;
    const name = [text(header, 345, 155), text(header, 0, 100)].filter(Boolean).join("/");
    const type = String.fromCharCode(header[156]);
    if (type === "0" || type === "\0") {
      files.set(name.split("/").slice(1).join("/"), tar.subarray(at + BLOCK, at + BLOCK + size));
    }
    at += BLOCK + BLOCK * Math.ceil(size / BLOCK);
  }
  return files;
}

function text(header, start, length) {
  const bytes = header.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? length : end);
}

const CRC_TABLE = Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** What the local header and the directory both say of a file; no time, so that the same files make the same archive. */
function description(content, packed) {
  const bytes = Buffer.alloc(26);
  bytes.writeUInt16LE(20, 0);
  bytes.writeUInt16LE(0x0800, 2);
  bytes.writeUInt16LE(8, 4);
  bytes.writeUInt16LE(0x21, 8);
  bytes.writeUInt32LE(crc32(content), 10);
  bytes.writeUInt32LE(packed.length, 14);
  bytes.writeUInt32LE(content.length, 18);
  return bytes;
}

/** @param {Map<string, Buffer>} files */
export function writeZip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [name, content] of files) {
    const title = Buffer.from(name, "utf8");
    const packed = deflateRawSync(content);
    const about = description(content, packed);
    about.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), about, title, packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), about, place, title]));
    parts.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}
