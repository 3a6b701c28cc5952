// Forgeries: one thing changed, everything else as it was.

import { $ } from "./dom.js";
import { show } from "./draw.js";

/** Shows a proven picture; a click on one of its pixels chooses it, and black for ink or white for none. */
export function pixelPicker(bytes, side) {
  const canvas = $("forge-seen");
  canvas.hidden = false;
  show(canvas, bytes, side);
  canvas.onclick = (event) => {
    const box = canvas.getBoundingClientRect();
    const at = (offset, length) => Math.min(side - 1, Math.max(0, Math.floor((offset * side) / length)));
    const place = at(event.clientY - box.top, box.height) * side + at(event.clientX - box.left, box.width);
    $("forge-place").value = place;
    $("forge-value").value = bytes[place] > 127 ? 0 : 255;
    document.querySelector('input[name="what"][value="input"]').checked = true;
  };
}

/** `what`: class, input or proof. Returns the changed `{ input, proof }`; throws when nothing would change. */
export function forged({ input, proof, parts }, what, choice) {
  const copy = { input: input.slice(), proof: proof.slice() };
  if (what === "class") {
    const { start } = parts.find(({ name }) => name === "digit");
    copy.proof.set([choice.digit & 255, choice.digit >> 8], start);
  } else if (what === "input") {
    if (!(choice.place >= 0 && choice.place < input.length)) throw new Error(`input bytes are numbered 0 to ${input.length - 1}`);
    if (!(choice.value >= 0 && choice.value <= 255)) throw new Error("a byte is 0 to 255");
    copy.input[choice.place] = choice.value;
  } else {
    const { start, length } = parts.find(({ name }) => name === choice.part);
    copy.proof[start + length - 1] ^= 1;
  }
  const same = (one, other) => one.every((byte, i) => byte === other[i]);
  if (same(copy.input, input) && same(copy.proof, proof)) throw new Error("that changes nothing: it is so already");
  return copy;
}
