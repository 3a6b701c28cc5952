// Calldata, one transaction by the visitor's wallet or by the server, and the open network's costs.

import { ask } from "./client.js";
import { el, grouped } from "./dom.js";

export const calldata = (image, proof) => ask("/v1/calldata", { image, proof });

/** Sends a proof to the contract. `node`: chain_id, contract, signs. Resolves to a line that says what happened. */
export async function send(node, image, proof) {
  const said = node.signs === "server" ? await ask("/v1/transaction", { image, proof }) : await byWallet(node, image, proof);
  if (!said.valid) throw new Error(said.reason);
  return `Sent: transaction ${said.transaction}${said.gas ? `, ${grouped(said.gas)} gas` : ""}.`;
}

/** The contract is asked first, for nothing: what it would refuse, no wallet needs to see. */
async function byWallet(node, image, proof) {
  const wallet = globalThis.ethereum;
  if (!wallet) throw new Error("no wallet here: install one that gives pages window.ethereum, or send the calldata yourself");
  const verdict = await ask("/v1/verify", { image, proof, in: "node" });
  if (!verdict.valid) return verdict;
  const { data } = await calldata(image, proof);
  const chain = `0x${node.chain_id.toString(16)}`;
  const [from] = await wallet.request({ method: "eth_requestAccounts" });
  if (BigInt(await wallet.request({ method: "eth_chainId" })) !== BigInt(chain)) {
    await wallet.request({ method: "wallet_switchEthereumChain", params: [{ chainId: chain }] });
  }
  const transaction = await wallet.request({ method: "eth_sendTransaction", params: [{ from, to: node.contract, data, chainId: chain }] });
  return { valid: true, transaction };
}

/** Rows of costs: the proof, the contract in the open, the script. */
export function costs({ solidity, bitcoin }, proofGas, name) {
  const row = (what, said, gas, bytes) => el("tr", {}, el("td", {}, what), el("td", {}, said), el("td", { class: "number" }, gas), el("td", { class: "number" }, bytes));
  const known = (part, text) => (part.unavailable ? part.unavailable : text);
  const script = bitcoin.accepted === null ? `${name(bitcoin.digit)}; not run: ${bitcoin.note}` : `${name(bitcoin.digit)}, ${bitcoin.accepted ? "accepted" : "REFUSED"} by ${bitcoin.interpreter}`;
  return el("table", {},
    el("thead", {}, el("tr", {}, ...["How", "Says", "Gas", "Bytes"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {},
      row("proof, weights hidden", "", proofGas === undefined ? "" : grouped(proofGas), ""),
      row("packed Solidity, weights open", known(solidity, String(solidity.unavailable ? "" : name(solidity.digit))), solidity.gas ? grouped(solidity.gas) : "", solidity.bytes ? grouped(solidity.bytes) : ""),
      row("Bitcoin script, weights open", known(bitcoin, script), "", bitcoin.bytes ? grouped(bitcoin.bytes) : "")));
}
