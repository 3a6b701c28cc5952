// What proofs of a circuit say, in words. `claim`: kind and parameter, of the commitment; never what a server calls it.

const grouped = (value) => BigInt(value).toLocaleString("en-US");

/** One sentence about the model. */
export function claimOf({ kind, parameter }) {
  return {
    class: "A proof says which class it gives.",
    margin: `A proof says which class it gives, and that this one leads every other by at least ${grouped(parameter)}.`,
    threshold: `A proof says that its output is at least ${grouped(parameter)}.`,
    logits: "A proof says which outputs (logits) it gives, and makes them public.",
  }[kind];
}

/** What one proof says, behind "The network says" (or "gives", for a threshold). `name`: of the class. */
export function inWords({ kind, parameter }, name, outputs) {
  if (kind === "margin") return `${name}, which leads every other class by at least ${grouped(parameter)}`;
  if (kind === "threshold") return `an output of at least ${grouped(parameter)}`;
  if (kind === "logits") return outputs.length === 1 ? `the output ${grouped(outputs[0])}` : `${name}, with the outputs ${outputs.map(grouped).join("; ")}`;
  return name;
}
