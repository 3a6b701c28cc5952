pragma circom 2.1.6;

// A ReLU network in exact integers, sound on its own: every pre-activation is decomposed into bits, so no sum can wrap.
//
//     z = W x + b          hidden: x' = max(z, 0) >> shift, or at most 255          last: class = lowest index of the largest z
//
// With hashed = 1 the pixels are private bytes under a Poseidon hash; with bound = 1 the weights are private signed bytes under a
// salted Poseidon hash. With bound = 0 nothing says which weights they are, and their ranges are left out: they would bind nothing.

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";

// |z| < 2^bits is enforced: z + 2^bits must fit bits + 1 bits, far below the field's 254.
template ReluShift(bits, shift) {
    signal input z;
    signal output a;
    component parts = Num2Bits(bits + 1);
    parts.in <== z + (1 << bits);
    var rest = 0;
    for (var i = shift; i < bits; i++) {
        rest += parts.out[i] * (1 << (i - shift));
    }
    a <== parts.out[bits] * rest; // the top bit says z >= 0
}

// The same, and 255 where it is more.
template Relu8Shift(bits, shift) {
    signal input z;
    signal output a;
    component parts = Num2Bits(bits + 1);
    parts.in <== z + (1 << bits);
    var rest = 0;
    var above = 0;
    for (var i = shift; i < bits; i++) {
        if (i < shift + 8) {
            rest += parts.out[i] * (1 << (i - shift));
        } else {
            above += parts.out[i];
        }
    }
    component fits = IsZero();
    fits.in <== above;
    signal cut;
    cut <== 255 + fits.out * (rest - 255);
    a <== parts.out[bits] * cut;
}

// 0 <= in < 2^bits
template InBits(bits) {
    signal input in;
    component parts = Num2Bits(bits);
    parts.in <== in;
}

// A dense layer has one position, a convolution several that share its kernels.
template Linear(positions, taps, outputs) {
    signal input x[positions][taps];
    signal input weights[outputs][taps];
    signal input bias[outputs];
    signal output z[positions][outputs];
    signal products[positions][outputs][taps];
    for (var p = 0; p < positions; p++) {
        for (var j = 0; j < outputs; j++) {
            var total = bias[j];
            for (var i = 0; i < taps; i++) {
                products[p][j][i] <== weights[j][i] * x[p][i];
                total += products[p][j][i];
            }
            z[p][j] <== total;
        }
    }
}

// The claimed class is the lowest index of the largest logit.
template LowestArgmax(classes, bits) {
    signal input z[classes];
    signal input class;
    component same[classes];
    component apart[classes];
    signal picked[classes];
    var top = 0;
    var chosen = 0;
    for (var j = 0; j < classes; j++) {
        same[j] = IsEqual();
        same[j].in[0] <== class;
        same[j].in[1] <== j;
        picked[j] <== same[j].out * z[j];
        top += picked[j];
        chosen += same[j].out;
    }
    chosen === 1;
    var reached = 0;
    for (var j = 0; j < classes; j++) {
        reached += same[j].out;
        apart[j] = InBits(bits + 1);
        apart[j].in <== top - z[j] - (1 - reached); // strictly above those before it
    }
}

// A chain of Poseidon over 15 elements at a time.
template Sponge(count) {
    signal input in[count];
    signal output out;
    var blocks = (count + 14) \ 15;
    component hash[blocks];
    for (var b = 0; b < blocks; b++) {
        hash[b] = Poseidon(16);
        if (b == 0) {
            hash[b].inputs[0] <== count;
        } else {
            hash[b].inputs[0] <== hash[b - 1].out;
        }
        for (var i = 0; i < 15; i++) {
            if (b * 15 + i < count) {
                hash[b].inputs[i + 1] <== in[b * 15 + i];
            } else {
                hash[b].inputs[i + 1] <== 0;
            }
        }
    }
    out <== hash[blocks - 1].out;
}

// Packs values of `bits` bits, offset by `offset` into 0..2^bits - 1, each checked, as many to an element as fit 248 bits.
template Packed(count, bits, offset) {
    var each = 248 \ bits;
    var elements = (count + each - 1) \ each;
    signal input in[count];
    signal output out[elements];
    component fits[count];
    for (var e = 0; e < elements; e++) {
        var element = 0;
        for (var i = 0; i < each && e * each + i < count; i++) {
            fits[e * each + i] = InBits(bits);
            fits[e * each + i].in <== in[e * each + i] + offset;
            element += (in[e * each + i] + offset) * (1 << (bits * i));
        }
        out[e] <== element;
    }
}
