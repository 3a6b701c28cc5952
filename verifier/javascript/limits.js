// What no circuit of either placement may exceed.

export const [MAX_LAYERS, MAX_WIDTH] = [16, 1 << 16];
