/**
 * The program of a hashing worker, as text: the tool is shipped as one file, in which there is no second file to start.
 * It reads whole ranges by itself, synchronously into one buffer that it keeps. That is as fast as `openssl dgst`;
 * streams cost half of it, and handing chunks between threads costs the rest (docs: performance). File descriptors
 * are the process's, so it needs only their numbers.
 */
export const hashWorker = `"use strict";
const { parentPort, workerData } = require("node:worker_threads");
const { readSync } = require("node:fs");
const { createHash } = require("node:crypto");
const { parts, ranges, order, shared } = workerData;
const [cursor, stop] = [0, 1];
const state = new Int32Array(shared);
const buffer = Buffer.allocUnsafeSlow(256 * 1024);
let bytes = 0;
let hashes = [];

function say() {
  parentPort.postMessage({ bytes, hashes });
  bytes = 0;
  hashes = [];
}

function read(offset, length) {
  const part = parts.find((each) => offset < each.offset + each.size);
  const wanted = Math.min(length, buffer.length, part.offset + part.size - offset);
  const count = readSync(part.fd, buffer, 0, wanted, offset - part.offset);
  if (count === 0) throw Object.assign(new Error("EOF"), { code: "EOF" });
  return count;
}

function hash({ offset, size, block }) {
  const sha256 = createHash("sha256");
  const blocks = [];
  let inner = block && createHash("sha256");
  for (let at = 0; at < size; ) {
    if (Atomics.load(state, stop) === 1) return undefined;
    const count = read(offset + at, Math.min(size - at, block ? block - (at % block) : size));
    sha256.update(buffer.subarray(0, count));
    if (inner) inner.update(buffer.subarray(0, count));
    at += count;
    if (inner && (at % block === 0 || at === size)) {
      blocks.push(inner.digest("hex"));
      inner = createHash("sha256");
    }
    bytes += count;
    if (bytes >= 4 * 1024 * 1024) say();
  }
  return { hex: sha256.digest("hex"), blocks };
}

for (let next = Atomics.add(state, cursor, 1); next < order.length; next = Atomics.add(state, cursor, 1)) {
  const index = order[next];
  let hashed;
  try {
    hashed = hash(ranges[index]);
  } catch (error) {
    hashed = { hex: error.code ?? "unreadable", blocks: [] };
  }
  if (hashed === undefined) break;
  hashes.push([index, hashed]);
  if (hashes.length >= 256) say();
}
say();
`;
