// Readings to bytes, exactly as the model's schema says: byte = floor((clip(reading) - low) * 255 / (high - low) + 1/2) on decimals.

/** A decimal as written, as a fraction of BigInts: [numerator, denominator]. Throws for anything else. */
export function decimal(text) {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(String(text).trim());
  if (!match || !(match[2] || match[3])) throw new Error(`"${String(text).trim()}" is no number`);
  const [, sign, whole, part = "", exponent = "0"] = match;
  const power = Number(exponent) - part.length;
  const digits = BigInt(`${whole}${part}` || "0") * (sign === "-" ? -1n : 1n);
  return power >= 0 ? [digits * 10n ** BigInt(power), 1n] : [digits, 10n ** BigInt(-power)];
}

/** The byte of one reading, and whether it was clipped to the scale. */
export function byteOf(text, { low, high }) {
  const [[n, d], [ln, ld], [hn, hd]] = [decimal(text), decimal(low), decimal(high)];
  // (n/d - ln/ld) * 255 / (hn/hd - ln/ld) + 1/2, over one positive denominator
  const span = hn * ld - ln * hd;
  const above = (n * ld - ln * d) * 255n * hd;
  const below = d * span;
  const [numerator, denominator] = [2n * above + below, 2n * below];
  const floor = numerator / denominator - (numerator % denominator < 0n ? 1n : 0n);
  const clipped = n * ld < ln * d || n * hd > hn * d;
  return { byte: Number(floor < 0n ? 0n : floor > 255n ? 255n : floor), clipped };
}
