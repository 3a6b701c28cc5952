/**
 * Checks zkpredict proofs: "the network committed under this id says this image is a 7". Written from docs/protocol.md and docs/wide.md; trusts nobody.
 *
 * The caller gives the commitment (of a model they chose), the image they mean, and the proof. Everything else is computed here.
 */

import { Circuit } from "./circuit.js";
import { Commitment, parseCommitment, parseProof } from "./files.js";
import { equal, fromHex, hex } from "./bytes.js";
import { FailedOpening, MalformedFile, MalformedProof, Refusal, WrongStatement } from "./errors.js";
import { formOf, proofParts } from "./form.js";
import { compactClaims, fold, linearise, opens, wideClaims } from "./opening.js";
import { uncompressed } from "./points.js";
import { meetsDomain, publicPolynomials } from "./publics.js";
import { statementOf } from "./statement.js";
import { transcript } from "./transcript.js";
import { lineariseWide } from "./wide/constraints.js";
import { HiddenInput, parseHidden } from "./wide/hidden.js";
import { widePublics } from "./wide/publics.js";

export { Commitment, FailedOpening, HiddenInput, MalformedFile, MalformedProof, Refusal, WrongStatement, fromHex, hex, parseCommitment, parseHidden, parseProof, proofParts };

/**
 * Returns `{ digit, className, modelId, claim, outputs }` when the proof shows what the circuit claims of `image`; else throws.
 *
 * `commitment`: a commitment file's bytes, or what `parseCommitment` made of it (which saves decoding its points again).
 * `image`: Uint8Array, one byte an input; for circuits with hidden inputs what `parseHidden` made of a file. `proof`: a proof file's
 * bytes. `context`: the 32 bytes that the proof was made for, when it was made for somebody or something. The checks, in the order of
 * section 6:
 */
export function verify(commitment, image, proof, context = new Uint8Array()) {
  const known = commitment instanceof Commitment ? commitment : parseCommitment(commitment);
  const { circuit, rows, modelId, schema } = known;
  if (!(image instanceof Uint8Array || image instanceof HiddenInput)) throw new TypeError("image: expected a Uint8Array, or a hidden input");
  if (!(context instanceof Uint8Array)) throw new TypeError("context: expected a Uint8Array");
  const { modelId: named, digit, outputs, points, scalars } = parseProof(proof, known); // (1)
  if (!equal(named, modelId)) throw new WrongStatement(`the proof is for model ${hex(named)}, the commitment is of model ${hex(modelId)}`); // (2)
  const statement = statementOf(circuit, image, digit, outputs, context); // (3), (4)

  const form = formOf(circuit);
  const hashed = Object.fromEntries(Object.entries(points).map(([name, point]) => [name, uncompressed(point)]));
  const { challenges } = transcript(form.rounds, circuit.digest, modelId, statement, hashed, scalars);
  if (meetsDomain(circuit.n, challenges.rho)) throw new FailedOpening("the challenge point rho is zero or fell into the domain"); // (5)
  const multiples = fold(circuit.n, circuit.rowColumns, claimsOf(circuit, form, statement, challenges, scalars), challenges);
  if (!opens(multiples, { ...points, ...statement.points }, rows)) {
    throw new FailedOpening("the opening does not match: the claim is false, or the proof was made for another statement"); // (6)
  }
  const { kind, parameter } = circuit.claim;
  return { digit, className: schema.classes[digit] ?? null, modelId: hex(modelId), claim: { kind, parameter }, outputs };
}

function claimsOf(circuit, form, statement, challenges, scalars) {
  if (circuit instanceof Circuit) {
    const publics = publicPolynomials(circuit, statement.digit, statement.image, challenges.alpha, challenges.rho);
    return compactClaims(linearise(circuit.layers, publics, challenges, scalars), scalars);
  }
  const publics = widePublics(circuit, statement, challenges);
  return wideClaims(lineariseWide(circuit, publics, challenges, scalars), form.stated, scalars);
}
