// Drawing by mouse, touch and keyboard, and the square of bytes that the network sees of it.

const INK = 22; // width of the pen on the 280 x 280 pad, as MNIST's pens were about two of 28 pixels wide
const FITS = 20 / 28; // MNIST: ink in a box of 20 x 20, its centre of mass in the middle of 28 x 28
const STEP = 10;
const SAMPLES = 6;

/** A pad on `canvas`; `changed` is called after each stroke or step. */
export class Pad {
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, context: canvas.getContext("2d", { willReadFrequently: true }), pen: { x: 140, y: 140, down: false }, last: null });
    Object.assign(this.context, { lineCap: "round", lineJoin: "round", lineWidth: INK, strokeStyle: "#fff", fillStyle: "#fff" });
    canvas.addEventListener("pointerdown", (event) => this.start(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(name, () => { this.last = null; });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) * 280) / box.width, y: ((event.clientY - box.top) * 280) / box.height };
  }

  start(event) {
    if (event.button > 0) return;
    event.preventDefault();
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.at(event);
    this.line(this.last, this.last);
  }

  move(event) {
    if (!this.last) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const next = this.at(one);
      this.line(this.last, next);
      this.last = next;
    }
  }

  line(from, to) {
    this.context.beginPath();
    this.context.moveTo(from.x, from.y);
    this.context.lineTo(to.x + 0.01, to.y);
    this.context.stroke();
    this.pen = { ...this.pen, x: to.x, y: to.y };
    this.canvas.setAttribute("aria-label", "Drawing area, with ink");
    this.changed();
  }

  key(event) {
    const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.key in steps) {
      const [dx, dy] = steps[event.key];
      const inside = (value) => Math.min(270, Math.max(10, value));
      const next = { x: inside(this.pen.x + dx), y: inside(this.pen.y + dy) };
      if (this.pen.down) this.line(this.pen, next);
      this.pen = { ...this.pen, ...next };
    } else if (event.key === " ") {
      this.pen.down = !this.pen.down;
      if (this.pen.down) this.line(this.pen, this.pen);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.clear();
    } else return;
    event.preventDefault();
    const [column, row] = [Math.round(this.pen.x / STEP), Math.round(this.pen.y / STEP)];
    this.canvas.setAttribute("aria-label", `Drawing area. Pen ${this.pen.down ? "down" : "up"} at column ${column}, row ${row} of 28`);
  }

  clear() {
    this.context.clearRect(0, 0, 280, 280);
    this.pen.down = false;
    this.canvas.setAttribute("aria-label", "Drawing area, empty");
    this.changed();
  }

  /** The ink as `side` x `side` bytes; `centred`: sized and centred as MNIST's digits were. */
  bytes(side, centred) {
    const alpha = this.context.getImageData(0, 0, 280, 280).data.filter((_, i) => i % 4 === 3);
    return sampled(alpha, side, centred ? frameOf(alpha) : { x: 0, y: 0, size: 280 });
  }
}

/** The square of the pad that becomes the picture, or all of it when there is no ink. */
function frameOf(alpha) {
  let [left, right, top, bottom, mass, sumX, sumY] = [280, -1, 280, -1, 0, 0, 0];
  alpha.forEach((value, i) => {
    if (!value) return;
    const [x, y] = [i % 280, Math.floor(i / 280)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    [mass, sumX, sumY] = [mass + value, sumX + value * x, sumY + value * y];
  });
  if (!mass) return { x: 0, y: 0, size: 280 };
  const size = Math.max(right - left + 1, bottom - top + 1) / FITS;
  return { x: sumX / mass + 0.5 - size / 2, y: sumY / mass + 0.5 - size / 2, size };
}

/** Each byte is the mean of SAMPLES^2 points of its part of the frame; outside the pad there is no ink. */
function sampled(alpha, side, { x, y, size }) {
  const found = new Uint8Array(side * side);
  const place = (start, index, sample) => Math.floor(start + ((index + (sample + 0.5) / SAMPLES) * size) / side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      let total = 0;
      for (let i = 0; i < SAMPLES; i++) {
        const py = place(y, row, i);
        for (let j = 0; j < SAMPLES && py >= 0 && py < 280; j++) {
          const px = place(x, column, j);
          if (px >= 0 && px < 280) total += alpha[py * 280 + px];
        }
      }
      found[row * side + column] = Math.round(total / SAMPLES ** 2);
    }
  }
  return found;
}

/** Shows bytes as a picture. */
export function show(canvas, bytes, side) {
  Object.assign(canvas, { width: side, height: side });
  const picture = new ImageData(side, side);
  bytes.forEach((value, i) => picture.data.set([value, value, value, 255], 4 * i));
  canvas.getContext("2d").putImageData(picture, 0, 0);
}
