// Sections 6 and 13: commitment, schema and proof files, from bytes to checked values.

import { Reader, ascii, hex, keccak, number } from "./bytes.js";
import { readCircuit } from "./circuit.js";
import { MalformedFile, MalformedProof } from "./errors.js";
import { ORDER } from "./field.js";
import { formOf } from "./form.js";
import { BLINDING, PRIVATE_BLINDING, decodePoint, uncompressed } from "./points.js";

/** A model's public side: `circuit`, `rows` (points), `schema` (features, classes), `modelId` (32 bytes). */
export class Commitment {
  constructor(circuit, rows, schema) {
    Object.assign(this, { circuit, rows, schema });
    const start = keccak(ascii("zkpredict model v1"), circuit.digest);
    this.modelId = keccak(start, ...rows.map(uncompressed));
  }

  get id() {
    return hex(this.modelId);
  }
}

/** What files are, by their first four bytes. */
const KINDS = new Map([
  ["zkpM", "a private model file"], ["zkpE", "a 10^8 network"], ["zkpK", "a public model commitment"], ["zkpC", "a circuit"], ["zkpP", "a proof"],
  ["zkpB", "a proof of a batch, which this verifier does not know"], ["zkpR", "a proven score, which this verifier does not know"],
  ["zkpT", "a registered test set, which this verifier does not know"], ["zkpH", "a public hidden input"], ["zkpO", "a private opening of a hidden input"],
]);

/** Refuses, by name, a file of another kind than the one that starts with `wanted`. */
function refuseOtherKind(reader, wanted) {
  const start = String.fromCharCode(...reader.data.subarray(0, 4));
  if (start !== wanted && KINDS.has(start)) reader.refuse(`this is ${KINDS.get(start)}; expected ${KINDS.get(wanted)}`);
}

/** Parses a commitment file of version 01 or 02. Throws `MalformedFile`. */
export function parseCommitment(data) {
  const reader = new Reader(data, "commitment", MalformedFile);
  refuseOtherKind(reader, "zkpK");
  const bound = data[4] === 2;
  reader.expect("zkpK", bound ? 2 : 1, "commitment magic");
  const circuit = readCircuit(reader);
  const count = reader.unsigned(2, "row count");
  if (count !== circuit.rows) reader.refuse(`has ${count} rows, its circuit needs ${circuit.rows}`);
  const encoded = Array.from({ length: count }, (_, i) => reader.take(48, `row ${i}`));
  const schema = bound ? readSchema(reader, circuit) : { features: [], classes: [] };
  reader.finish();
  const rows = encoded.map((raw, i) => decodePoint(raw, (reason) => reader.refuse(`row ${i}: ${reason}`)));
  if (bound) rows[0] = bind(circuit, rows[0], schema.bytes);
  if (rows[0].is0()) reader.refuse("row 0 is the point at infinity");
  return new Commitment(circuit, rows, schema);
}

/** Q = P + t B, t = keccak(keccak(label | circuit digest) | P | keccak(schema)) mod r. */
function bind(circuit, inner, schema) {
  const start = keccak(ascii("zkpredict schema v1"), circuit.digest);
  const t = number(keccak(start, uncompressed(inner), keccak(schema))) % ORDER;
  return t === 0n ? inner : inner.add((circuit.hidden ? PRIVATE_BLINDING : BLINDING).get(circuit.n).multiplyUnsafe(t));
}

/** "zkpS" 01 | features: name, low, high | classes: name. */
function readSchema(reader, circuit) {
  const size = reader.unsigned(4, "schema length");
  const bytes = reader.take(size, "schema");
  const inner = new Reader(bytes, "schema", MalformedFile);
  inner.expect("zkpS", 1, "schema magic");
  const features = Array.from({ length: inner.unsigned(2, "feature count") }, (_, i) => readFeature(inner, i));
  const classes = Array.from({ length: inner.unsigned(2, "class count") }, (_, i) => readName(inner, `class ${i}`));
  inner.finish();
  for (const names of [features.map(({ name }) => name), classes]) if (new Set(names).size < names.length) inner.refuse("two names are the same");
  if (![0, 1, circuit.inputs].includes(features.length)) inner.refuse(`${features.length} features for ${circuit.inputs} inputs`);
  if (![0, circuit.classes].includes(classes.length)) inner.refuse(`${classes.length} names for ${circuit.classes} classes`);
  if (!features.length && !classes.length) inner.refuse("it says nothing: the file should be of version 01");
  return { features, classes, bytes };
}

function readName(reader, field) {
  const raw = reader.take(reader.unsigned(1, `${field}: name length`), `${field}: name`);
  let name;
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    reader.refuse(`${field}: the name is no UTF-8`);
  }
  // printable: nothing that is unassigned, a control, or a separator other than a blank inside
  if (!name || name.trim() !== name || /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(name) || raw.length > 80) reader.refuse(`${field}: the name cannot be shown`);
  return name;
}

function readFeature(reader, i) {
  const name = readName(reader, `feature ${i}`);
  const raw = reader.take(16, `feature ${i}: scale`);
  const view = new DataView(raw.buffer, raw.byteOffset, 16);
  const [low, high] = [view.getFloat64(0, true), view.getFloat64(8, true)];
  if (!Number.isFinite(low) || !Number.isFinite(high) || !(low < high)) reader.refuse(`feature ${i}: the scale from ${low} to ${high} is none`);
  if (Object.is(low, -0) || Object.is(high, -0)) reader.refuse(`feature ${i}: zero is written without a sign`);
  return { name, low, high };
}

/** Parses a proof in a commitment's circuit: `modelId`, `digit`, `outputs`, `points` and `scalars` by name. Throws `MalformedProof`. */
export function parseProof(data, { circuit }) {
  const { rounds, outputs: stated } = formOf(circuit);
  const reader = new Reader(data, "proof", MalformedProof);
  refuseOtherKind(reader, "zkpP");
  reader.expect("zkpP", 1, "magic");
  const modelId = reader.take(32, "model id").slice();
  const digit = reader.unsigned(2, "digit");
  const outputs = Array.from({ length: stated }, (_, i) => reader.signed64(`output ${i}`));
  const read = (kind, size) => rounds.flatMap((round) => round[kind]).map((name) => [name, reader.take(size, `${kind.slice(0, -1)} ${name}`)]);
  const [encoded, numbers] = [read("points", 48), read("scalars", 32)];
  reader.finish();
  const scalars = numbers.map(([name, raw]) => {
    if (number(raw) >= ORDER) reader.refuse(`scalar ${name} is not below the field order`);
    return [name, number(raw)];
  });
  const points = encoded.map(([name, raw]) => [name, decodePoint(raw, (reason) => reader.refuse(`point ${name}: ${reason}`))]);
  return { modelId, digit, outputs, points: Object.fromEntries(points), scalars: Object.fromEntries(scalars) };
}
