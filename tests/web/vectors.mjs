// Every case of vectors/ as a function that throws when the JavaScript verifier does otherwise. Runs in Node and in a browser.

import { MalformedFile, parseCommitment, parseHidden, parseProof, verify } from "zkpredict-verify";
import { COMPACT, Reader, compactClaims, decodePoint, fold, formOf, fromHex, hex, linearise, meetsDomain, opens, publicPolynomials, readCircuit, transcript, uncompressed, widePublics } from "zkpredict-verify/parts";

const show = (value) => JSON.stringify(value, (_, part) => (typeof part === "bigint" ? word(part) : part));
const word = (value) => `0x${value.toString(16).padStart(64, "0")}`;
const words = (values) => Object.fromEntries(Object.entries(values).sort().map(([name, value]) => [name, word(value)]));
const numbers = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, BigInt(value)]));
const sorted = (values) => Object.fromEntries(Object.entries(values).sort());
const bytes = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fromHex(value)]));
const point = (text) => decodePoint(fromHex(text), (reason) => { throw new Error(reason); });

function same(found, expected) {
  if (show(found) !== show(expected)) throw new Error(`found ${show(found)}, expected ${show(expected)}`);
}

function differs(found, wrong) {
  if (typeof wrong !== "string" || show(found) === show(wrong)) throw new Error(`found ${show(found)}, which a usual mistake gives`);
}

/** `run` must throw exactly `kind`. */
function refused(kind, run) {
  try {
    run();
  } catch (error) {
    return same(error.name, kind);
  }
  throw new Error(`accepted, expected ${kind}`);
}

const CASES = {
  commitment: {
    valid(one) {
      const { circuit, id } = parseCommitment(fromHex(one.file));
      same(circuit.widths, one.widths);
      same(circuit.lanes, one.lanes);
      same([circuit.n, hex(circuit.bytes), hex(circuit.digest), id], [one.domain, one.circuit, one.circuit_digest, one.model_id]);
    },
    invalid: (one) => refused("MalformedFile", () => parseCommitment(fromHex(one.file))),
  },
  transcript: {
    valid({ given, states, challenges }) {
      const found = drawn(given);
      same(found.states.map(hex), states);
      same(words(found.challenges), sorted(challenges));
    },
    invalid(one, { valid }) {
      const { challenges } = drawn(valid[one.given].given);
      for (const [mistake, value] of Object.entries(one)) if (mistake !== "given") differs(word(challenges[mistake.split(": ").at(-1)]), value);
    },
  },
  public_polynomials: {
    valid({ given, values }) {
      const circuit = readCircuit(new Reader(fromHex(given.circuit), "circuit", MalformedFile));
      const found = publicPolynomials(circuit, given.digit, fromHex(given.image), BigInt(given.alpha), BigInt(given.rho));
      same(words(found), sorted(values));
    },
    invalid: (one) => same(meetsDomain(one.domain, BigInt(one.rho)), true),
  },
  linearisation: {
    valid({ given, constant, here, there }) {
      const found = linearised(given);
      same([word(found.constant), words(found.here), words(found.there)], [constant, sorted(here), sorted(there)]);
    },
    invalid: (one) => differs(word(linearised(one).constant), one.constant),
  },
  fold: {
    valid(one) {
      const { multiples, holds } = folded(one.given);
      same(words(multiples), sorted(one.multiples));
      same([holds, one.holds], [true, true]);
    },
    invalid(one) {
      const { multiples, holds } = folded(one.given);
      if (one.multiples) same(words(multiples), sorted(one.multiples));
      same([holds, one.holds], [false, false]);
    },
  },
  proof: {
    valid: (one) => same(verify(fromHex(one.commitment), fromHex(one.image), fromHex(one.proof)).digit, one.digit),
    invalid: (one) => refused(one.error, () => verify(fromHex(one.commitment), fromHex(one.image), fromHex(one.proof))),
  },
  wide: {
    valid(one) {
      const known = commitmentOf(one.commitment);
      const { circuit } = known;
      same([hex(circuit.bytes), known.id, circuit.tracks, inWords(circuit.claim)], [one.circuit, one.model_id, one.tracks, one.claim]);
      const ofRow = ({ exponents, copies = [] }) => (circuit.joined ? exponents.map((own, i) => [own, ...copies.map((copy) => copy[i])]) : exponents);
      same(Object.fromEntries(circuit.rowColumns.map((column) => [column.name, ofRow(column)])), one.row_exponents);
      const form = formOf(circuit);
      same([form.rounds.flatMap(({ points }) => points), form.rounds.flatMap(({ scalars }) => scalars)], [one.points, one.scalars]);
      const proof = parseProof(fromHex(one.proof), known);
      const points = Object.fromEntries(Object.entries(proof.points).map(([name, found]) => [name, uncompressed(found)]));
      const [image, context] = [inputOf(one), fromHex(one.context ?? "")];
      const statement = { digit: proof.digit, outputs: proof.outputs, image, absorbed: one.hidden ? image.absorbed : image, context };
      const { challenges } = transcript(form.rounds, circuit.digest, proof.modelId, statement, points, proof.scalars);
      same(words(challenges), sorted(one.challenges));
      same(words(widePublics(circuit, statement, challenges)), sorted(one.publics));
      const said = verify(known, image, fromHex(one.proof), context);
      same([said.digit, said.outputs.map(Number), inWords(said.claim)], [one.digit, one.outputs, one.claim]);
    },
    invalid(changed, { valid }) {
      const { error, ...one } = { ...valid[changed.given], ...changed };
      refused(error, () => verify(commitmentOf(one.commitment), inputOf(one), fromHex(one.proof), fromHex(one.context ?? "")));
    },
  },
};

const parsed = new Map();
function commitmentOf(text) {
  if (!parsed.has(text)) parsed.set(text, parseCommitment(fromHex(text)));
  return parsed.get(text);
}

const inWords = ({ kind, parameter }) => (kind === "margin" || kind === "threshold" ? `${kind} ${parameter}` : kind);
const inputOf = (one) => (one.hidden ? parseHidden(fromHex(one.hidden)) : fromHex(one.image));

const drawn = (given) =>
  transcript(COMPACT.rounds, fromHex(given.circuit_digest), fromHex(given.model_id), { digit: given.digit, absorbed: fromHex(given.image) }, bytes(given.points), numbers(given.scalars));

const linearised = (given) => linearise(given.layers, numbers(given.publics), numbers(given.challenges), numbers(given.scalars));

function folded(given) {
  const linear = { constant: BigInt(given.constant), here: numbers(given.here), there: numbers(given.there) };
  const rowColumns = given.row_exponents.map((exponents, layer) => ({ name: `rows${layer}`, exponents }));
  const multiples = fold(given.domain, rowColumns, compactClaims(linear, numbers(given.scalars)), numbers(given.challenges));
  const points = Object.fromEntries(Object.entries(given.points).map(([name, text]) => [name, point(text)]));
  return { multiples, holds: opens(multiples, points, given.rows.map(point)) };
}

/** All cases; `read(name)` gives the parsed content of a file of vectors/. */
export function runVectors(read) {
  return Object.entries(CASES).flatMap(([file, judges]) => {
    const content = read(file);
    return Object.entries(judges).flatMap(([kind, judge]) =>
      content[kind].map((one, number) => ({ file, kind, number, title: one.why ?? "as it should be", run: () => judge(one, content) })),
    );
  });
}
