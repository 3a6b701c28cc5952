// An input under a hiding commitment (section 6 of docs/wide.md, docs/private-input.md): points in the place of bytes.

import { Reader, join } from "../bytes.js";
import { MalformedFile } from "../errors.js";
import { MAX_WIDTH } from "../limits.js";
import { decodePoint, uncompressed } from "../points.js";

/** `points` that hide `inputs` bytes on `n` rows; made by `parseHidden` alone. */
export class HiddenInput {
  constructor(n, inputs, points) {
    Object.assign(this, { n, inputs, points });
  }

  /** What the transcript hashes in the place of the bytes. */
  get absorbed() {
    return join(...this.points.map(uncompressed));
  }
}

/** Parses the file that `zkpredict hide` makes for everybody. Throws `MalformedFile`. */
export function parseHidden(data) {
  const reader = new Reader(data, "hidden input", MalformedFile);
  reader.expect("zkpH", 1, "magic");
  const [n, inputs] = [reader.unsigned(2, "domain"), reader.unsigned(4, "input bytes")];
  if (![512, 1024, 2048].includes(n) || inputs < 1 || inputs > MAX_WIDTH) reader.refuse(`${inputs} bytes on ${n} rows are out of range`);
  const encoded = Array.from({ length: Math.ceil(inputs / (n - 2)) }, (_, i) => reader.take(48, `point ${i}`));
  reader.finish();
  return new HiddenInput(n, inputs, encoded.map((raw, i) => decodePoint(raw, (reason) => reader.refuse(`point ${i}: ${reason}`))));
}
