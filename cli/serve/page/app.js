// The page: input, proof, verdicts, forgery, chain. Every number shown was computed here or came with the answer to this visitor.

import { fromHex, hex, parseCommitment, proofParts } from "zkpredict-verify";
import { claimOf, inWords } from "./claims.js";
import { ask, newKey, useToken } from "./client.js";
import { $, el, fill, grouped, save } from "./dom.js";
import { forged, pixelPicker } from "./forge.js";
import { inputOf } from "./input.js";
import { calldata, costs, send } from "./onchain.js";
import { judge } from "./verifiers.js";

let model, commitment, input;
let shownProof = null; // { input, proof, answer }: what the sections below the first one are about

const say = (text, kind = "") => { $("status").textContent = text; $("status").className = kind; };
const named = (digit, name = commitment.schema.classes[digit]) => (name === undefined || name === null ? String(digit) : `${name} (class ${digit})`);
const kind = () => commitment.circuit.claim.kind;

async function begin() {
  try {
    model = await ask("/v1/model");
  } catch (error) {
    if (error.status !== 401) return fill("model", el("span", { class: "bad" }, error.message));
    $("door").hidden = false;
    return $("token").focus();
  }
  $("door").hidden = true;
  try {
    commitment = parseCommitment(fromHex(model.commitment));
  } catch (error) {
    return fill("model", el("span", { class: "bad" }, `This page cannot check this server's model ${model.model_id}: ${error.message}.`));
  }
  const wanted = new URLSearchParams(location.hash.slice(1)).get("model");
  if (wanted !== null && wanted !== commitment.id) {
    return fill("model", el("span", { class: "bad" }, `This server's model is ${commitment.id}, you asked for ${wanted}.`));
  }
  const { circuit, schema } = commitment;
  fill("model", `Model ${circuit.widths.join("-")}, id `, el("code", {}, commitment.id), model.open ? "; its weights are published. " : "; its weights are hidden. ", claimOf(circuit.claim));
  if (schema.features.length > 1) $("about").textContent = "Give readings. A network whose weights stay hidden says their class, and proves it. Your browser checks the proof.";
  input = inputOf(commitment, () => { $("prove").disabled = !input?.ready(); });
  fill("forge-class", ...Array.from({ length: circuit.classes }, (_, i) => el("option", { value: i }, named(i))));
  const parts = proofParts(commitment);
  const first = parts.find(({ name }) => name.startsWith("point ")).name;
  fill("forge-part", ...parts.map(({ name }) => el("option", { value: name, selected: name === first }, name)));
  if (circuit.classes === 1) { // nothing to choose
    $("forge-class").closest("p").hidden = true;
    document.querySelector('input[name="what"][value="input"]').checked = true;
  }
  $("forge-place").max = circuit.inputs - 1;
  $("prove").disabled = !input.ready();
  document.documentElement.dataset.ready = "true";
}

async function prove() {
  const bytes = input.bytes();
  $("prove").disabled = true;
  say("proving ...");
  const start = performance.now();
  try {
    const answer = await ask("/v1/prove", { image: hex(bytes) }, { "Idempotency-Key": newKey() });
    const proof = fromHex(answer.proof);
    shownProof = { input: bytes, proof, answer };
    const arrived = performance.now() - start;
    showAnswer(answer, arrived);
    showProof(proof);
    const verdicts = await judge($("verifiers"), places(), commitment, bytes, proof, (place, said) => {
      if (place === "browser") conclude(said, performance.now() - start);
    });
    if (model.open) fill("open-costs", costs(await ask("/v1/open", { image: hex(bytes) }), verdicts.evm?.gas, named));
  } catch (error) {
    say(error.message, "bad");
  } finally {
    $("prove").disabled = !input.ready();
  }
}

/** Who is asked: contracts only where one checks such proofs. */
const places = () => ["browser", ...model.verifiers.filter((place) => place !== "node")];

/** What the visitor's own verifier says counts. */
function conclude(said, milliseconds) {
  document.documentElement.dataset.milliseconds = Math.round(milliseconds);
  if (said.valid) say(`VALID: ${inWords(commitment.circuit.claim, named(said.digit), said.outputs)}, ${Math.round(milliseconds)} ms after you asked, checked in this browser`, "good");
  else say(`REFUSED by this browser: ${said.reason}`, "bad");
}

function showAnswer(answer, arrived) {
  for (const id of ["answer", "verdicts", "proof", "forge", "chain"]) $(id).hidden = false;
  $("open").hidden = !model.open;
  $("verb").textContent = kind() === "threshold" ? "gives" : "says";
  $("said").textContent = inWords(commitment.circuit.claim, named(answer.digit, answer.class_name), answer.outputs ?? []);
  $("logits").hidden = !answer.logits;
  if (answer.logits) fill("logits", logitTable(answer.logits, answer.digit));
  const longest = Math.max(...answer.rounds.map((round) => round.milliseconds ?? round.bytes), 1);
  fill("rounds", ...answer.rounds.map((round) => roundLine(round, longest)));
  const timed = answer.rounds[0].milliseconds !== undefined;
  $("whole").textContent = `${grouped(answer.proof_bytes)} bytes, here after ${Math.round(arrived)} ms.` +
    (timed ? "" : " Bars show bytes: how long each round took depends on the weights, so this server keeps it to itself.");
  const other = (answer.digit + 1) % commitment.circuit.classes;
  $("forge-class").value = other;
  if (input.side) pixelPicker(shownProof.input, input.side);
  fill("forge-verdicts");
  fill("open-costs");
  for (const id of ["calldata-text", "copy"]) $(id).hidden = true;
  $("calldata-note").textContent = "";
  $("send-note").textContent = "";
  $("no-contract").hidden = !model.no_contract;
  $("no-contract").textContent = model.no_contract ? `${model.no_contract[0].toUpperCase()}${model.no_contract.slice(1)}.` : "";
  $("calldata").closest("p").hidden = Boolean(model.no_contract);
  $("send-box").hidden = !model.node;
  if (model.node) $("send").textContent = model.node.signs === "wallet" ? "Send with my wallet" : "Send, signed and paid by the server";
}

function roundLine(round, longest) {
  const parts = [...round.points.map((name) => `[${name}]`), ...round.scalars].join(" ");
  const bar = el("span");
  bar.style.width = `${(100 * (round.milliseconds ?? round.bytes)) / longest}%`;
  const size = `${round.bytes} bytes${round.milliseconds === undefined ? "" : `, ${round.milliseconds} ms`}`;
  const sent = `Sends ${parts}${round.challenges.length ? `; then draws ${round.challenges.join(", ")}` : ""}.`;
  const line = el("summary", {}, el("span", {}, round.name), el("span", { class: "bar", "aria-hidden": "true" }, bar), el("span", { class: "quiet" }, size));
  return el("li", {}, el("details", {}, line, el("p", { class: "sent" }, sent)));
}

function logitTable(logits, digit) {
  const rows = logits.map((value, i) => el("tr", {}, el("th", { scope: "row" }, named(i)), el("td", { class: "number" }, i === digit ? el("strong", {}, grouped(value)) : grouped(value))));
  return el("details", {}, el("summary", {}, "Logits, which a model that is not open keeps to itself"), el("table", {}, el("tbody", {}, ...rows)));
}

function showProof(proof) {
  $("proof-size").textContent = `${proof.length} bytes.`;
  fill("parts", ...proofParts(commitment).map(({ name, start, length }) =>
    el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "number" }, start), el("td", { class: "hex" }, hex(proof.subarray(start, start + length))))));
}

async function forge(event) {
  event.preventDefault();
  const what = new FormData($("forge-form")).get("what");
  const choice = { digit: Number($("forge-class").value), place: Number($("forge-place").value), value: Number($("forge-value").value), part: $("forge-part").value };
  try {
    const changed = forged({ ...shownProof, parts: proofParts(commitment) }, what, choice);
    await judge($("forge-verdicts"), places(), commitment, changed.input, changed.proof);
  } catch (error) {
    fill("forge-verdicts", el("p", { class: "bad" }, error.message));
  }
}

async function showCalldata() {
  try {
    const said = await calldata(hex(shownProof.input), hex(shownProof.proof));
    if (!said.valid) throw new Error(said.reason);
    for (const id of ["calldata-text", "copy"]) $(id).hidden = false;
    $("calldata-text").value = said.data;
    $("calldata-note").textContent = `${grouped(said.bytes)} bytes for ${said.function}${model.node ? ` of ${model.node.contract} on chain ${model.node.chain_id}` : ""}`;
  } catch (error) {
    $("calldata-note").textContent = error.message;
  }
}

async function copyCalldata() {
  $("calldata-text").select();
  try {
    await navigator.clipboard.writeText($("calldata-text").value);
    $("calldata-note").textContent = "Copied.";
  } catch {
    $("calldata-note").textContent = "Selected: copy it with your keyboard.";
  }
}

async function sendProof() {
  $("send").disabled = true;
  $("send-note").textContent = "sending ...";
  try {
    $("send-note").textContent = await send(model.node, hex(shownProof.input), hex(shownProof.proof));
  } catch (error) {
    $("send-note").textContent = error.message;
  } finally {
    $("send").disabled = false;
  }
}

$("prove").addEventListener("click", prove);
$("forge-form").addEventListener("submit", forge);
$("calldata").addEventListener("click", showCalldata);
$("copy").addEventListener("click", copyCalldata);
$("send").addEventListener("click", sendProof);
$("download").addEventListener("click", () => save(`${named(shownProof.answer.digit).replace(/\W+/g, "-")}.proof`, shownProof.proof));
$("download-commitment").addEventListener("click", () => save("model.commitment", fromHex(model.commitment)));
$("door-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useToken($("token").value);
  begin();
});
begin();
