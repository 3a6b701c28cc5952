// Untrusted bytes, read with every length checked; hexadecimal; numbers; keccak.

import { keccak_256 } from "@noble/hashes/sha3.js";

/** A cursor over `data`. `Kind` is the refusal that it throws, `what` names the file in it. */
export class Reader {
  constructor(data, what, Kind) {
    if (!(data instanceof Uint8Array)) throw new TypeError(`${what}: expected a Uint8Array`);
    Object.assign(this, { data, what, Kind, position: 0 });
  }

  refuse(message) {
    throw new this.Kind(`${this.what}: ${message}`);
  }

  take(count, field) {
    const left = this.data.length - this.position;
    if (count > left) this.refuse(`${field} needs ${count} bytes at offset ${this.position}, ${left} are left`);
    this.position += count;
    return this.data.subarray(this.position - count, this.position);
  }

  /** Little-endian, at most 4 bytes. */
  unsigned(size, field) {
    return this.take(size, field).reduceRight((total, byte) => total * 256 + byte, 0);
  }

  /** Eight bytes, little-endian, two's complement, as a BigInt. */
  signed64(field) {
    const raw = this.take(8, field);
    return new DataView(raw.buffer, raw.byteOffset, 8).getBigInt64(0, true);
  }

  expect(text, version, field) {
    const found = this.take(text.length + 1, field);
    if (!equal(found, magic(text, version))) this.refuse(`${field} is ${hex(found)}, expected ${hex(magic(text, version))}`);
  }

  finish() {
    const left = this.data.length - this.position;
    if (left) this.refuse(`${left} bytes trail after the end at offset ${this.position}`);
  }
}

export const ascii = (text) => new TextEncoder().encode(text);
export const magic = (text, version) => join(ascii(text), Uint8Array.of(version));
export const keccak = (...parts) => keccak_256(join(...parts));
export const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const equal = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);

/** Bytes from hexadecimal digits, with or without 0x. Throws `TypeError` for anything else. */
export function fromHex(text) {
  const digits = text.replace(/^0x/, "");
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new TypeError("not hexadecimal, or half a byte");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A number from big-endian bytes. */
export const number = (data) => (data.length ? BigInt(`0x${hex(data)}`) : 0n);

/** 32 bytes, big-endian. */
export const word = (value) => fromHex(BigInt(value).toString(16).padStart(64, "0"));

/** Eight bytes, big-endian, two's complement. */
export function signedWord(value) {
  const found = new Uint8Array(8);
  new DataView(found.buffer).setBigInt64(0, value);
  return found;
}
