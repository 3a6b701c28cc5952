// The verifiers side by side: this browser, the server's native one, and, where one checks such proofs, a contract in an EVM.

import { Refusal, verify } from "zkpredict-verify";
import { inWords } from "./claims.js";
import { ask } from "./client.js";
import { el, grouped } from "./dom.js";

/** Which check of the protocol a refusal comes from, in words. */
const CHECKS = {
  MalformedProof: "Check 1, form: these bytes are no proof. Lengths, numbers below the field's order, points on the curve and in its subgroup.",
  WrongStatement: "Checks 2 to 4, statement: the proof names another model, or the input or class does not fit the circuit.",
  OpeningFailed: "The contract's last check: what the point evaluation precompile is given does not hold.",
  FailedOpening: "Check 6, opening: the pairing equation fails. Challenges are hashes of model, class, input and every message, so a change anywhere changes them.",
};

const hexOf = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");

const NAMES = { browser: "In this browser", native: "On the server, native", evm: "In an EVM, by the contract" };

async function verdictOf(place, commitment, input, proof) {
  if (place !== "browser") return ask("/v1/verify", { image: hexOf(input), proof: hexOf(proof), in: place });
  await new Promise((resolve) => { setTimeout(resolve); }); // lets the page show itself first
  const start = performance.now();
  try {
    const said = verify(commitment, input, proof);
    return { valid: true, digit: said.digit, class_name: said.className, outputs: said.outputs, milliseconds: performance.now() - start };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { valid: false, kind: error.name, reason: error.message };
  }
}

/** Asks the verifiers at `places`; a card each, in `box`. Resolves to the verdicts by place, null where one could not be asked. */
export async function judge(box, places, commitment, input, proof, told = () => {}) {
  const cards = places.map((place) => el("div", { class: "card", "data-verifier": place }, el("h3", {}, NAMES[place]), el("p", {}, "checking ...")));
  box.replaceChildren(...cards);
  const verdicts = await Promise.all(places.map(async (place, i) => {
    try {
      const said = await verdictOf(place, commitment, input, proof);
      cards[i].replaceChildren(el("h3", {}, NAMES[place]), ...shown(said, commitment.circuit.claim));
      told(place, said);
      return said;
    } catch (error) {
      cards[i].replaceChildren(el("h3", {}, NAMES[place]), el("p", { class: "verdict" }, "not asked"), el("p", { class: "quiet" }, error.message));
      return null;
    }
  }));
  return Object.fromEntries(places.map((place, i) => [place, verdicts[i]]));
}

function shown(said, claim) {
  if (!said.valid) {
    const why = [el("p", { class: "verdict bad" }, `REFUSED: ${said.kind}`), el("p", {}, said.reason)];
    if (said.kind in CHECKS) why.push(el("p", { class: "quiet" }, CHECKS[said.kind]));
    return why;
  }
  const took = said.gas ? `${grouped(said.gas)} gas` : `${said.milliseconds.toFixed(said.milliseconds < 10 ? 1 : 0)} ms`;
  const lines = [el("p", { class: "verdict good" }, `VALID: ${inWords(claim, said.class_name ?? String(said.digit), said.outputs ?? [])}`), el("p", { class: "quiet" }, took)];
  if (said.parts) lines.push(gasTable(said.parts));
  return lines;
}

function gasTable(parts) {
  const rows = Object.entries(parts).map(([name, gas]) => el("tr", {}, el("td", {}, name), el("td", { class: "number" }, grouped(gas))));
  return el("details", { open: true }, el("summary", {}, "Gas by part"), el("table", {}, el("tbody", {}, ...rows)));
}
