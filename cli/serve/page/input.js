// Three ways to give an input: a drawing, readings in the model's scales, or bytes.

import { fromHex } from "zkpredict-verify";
import { $, el } from "./dom.js";
import { Pad, show } from "./draw.js";
import { byteOf } from "./features.js";

/** The input of a model: `bytes()` and `ready()`; `changed` is called when either may be another. */
export function inputOf(commitment, changed) {
  const { circuit, schema } = commitment;
  const side = Math.round(Math.sqrt(circuit.inputs));
  if (schema.features.length > 1 || (schema.features.length && circuit.inputs === 1)) return readings(schema.features, changed);
  return side * side === circuit.inputs && side >= 8 ? drawing(side, changed) : raw(circuit.inputs, changed);
}

function drawing(side, changed) {
  let bytes = new Uint8Array(side * side);
  let waits = false;
  const look = () => {
    waits = false;
    bytes = pad.bytes(side, $("centre").checked);
    show($("seen"), bytes, side);
    const ink = bytes.reduce((count, value) => count + (value > 0), 0);
    $("seen").setAttribute("aria-label", `What the network sees: ${side} by ${side} bytes, ${ink} of them with ink`);
    changed();
  };
  const soon = () => { if (!waits) { waits = true; requestAnimationFrame(look); } };
  const pad = new Pad($("pad"), soon);
  $("drawing").hidden = false;
  $("seen-size").textContent = `${side} x ${side}`;
  $("clear").addEventListener("click", () => pad.clear());
  $("centre").addEventListener("change", look);
  show($("seen"), bytes, side);
  return {
    side,
    bytes: () => { look(); return bytes.slice(); },
    ready: () => bytes.some((value) => value > 0),
  };
}

function readings(features, changed) {
  const fields = features.map((feature, i) => {
    const entry = el("input", { id: `feature-${i}`, inputmode: "decimal", autocomplete: "off", value: middle(feature), "aria-describedby": `feature-${i}-note` });
    const note = el("span", { class: "quiet", id: `feature-${i}-note` });
    const look = () => {
      try {
        const { byte, clipped } = byteOf(entry.value, feature);
        note.textContent = `byte ${byte}${clipped ? ", clipped to the scale" : ""}; scale ${feature.low} to ${feature.high}`;
        entry.removeAttribute("aria-invalid");
      } catch (error) {
        note.textContent = error.message;
        entry.setAttribute("aria-invalid", "true");
      }
      changed();
    };
    entry.addEventListener("input", look);
    return { feature, entry, look, row: el("div", {}, el("label", { for: entry.id }, feature.name), entry, note) };
  });
  $("features").replaceChildren(...fields.map(({ row }) => row));
  $("features").hidden = false;
  $("features").addEventListener("submit", (event) => event.preventDefault());
  const found = {
    bytes: () => Uint8Array.from(fields, ({ feature, entry }) => byteOf(entry.value, feature).byte),
    ready: () => fields.every(({ entry }) => !entry.hasAttribute("aria-invalid")),
  };
  fields.forEach(({ look }) => look());
  return found;
}

const middle = ({ low, high }) => String(Number(((low + high) / 2).toPrecision(4)));

function raw(inputs, changed) {
  $("raw").hidden = false;
  const bytes = () => fromHex($("raw-bytes").value.replace(/\s+/g, ""));
  $("raw-bytes").placeholder = `${inputs} bytes, two digits each`;
  $("raw-bytes").addEventListener("input", changed);
  return {
    bytes,
    ready: () => {
      try {
        return bytes().length === inputs;
      } catch {
        return false;
      }
    },
  };
}
