"""The geometry of a window that is moved over a map: kernels, and pools of what they read."""

from __future__ import annotations


import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.files.order import Picture
from zkpredict.circuits.records import dataclass

MAX_SIDE, MAX_CHANNELS = 1 << 10, 1 << 10
_FIELD_BYTES = 2


@dataclass(frozen=True)
class Grid:
    """The geometry of one convolution. `stride` and `pool` count both ways, or down alone where `stride_across` and `pool_across` say another
    number across (0: the same; it is never said twice). Raises `UnsupportedNetwork` for sizes out of range, and when a kernel is larger than
    what it reads."""

    height: int
    width: int
    channels: int
    kernel_height: int
    kernel_width: int
    stride: int = 1
    pad_top: int = 0
    pad_left: int = 0
    pool: int = 1
    pad_bottom: int = 0
    pad_right: int = 0
    stride_across: int = 0
    pool_across: int = 0

    def __post_init__(self) -> None:
        for across, down in (("stride_across", self.stride), ("pool_across", self.pool)):
            if getattr(self, across) == down:
                object.__setattr__(self, across, 0)
        sizes = (self.height, self.width, self.kernel_height, self.kernel_width, *self.strides, *self.pool_sides)
        pads = (self.pad_top, self.pad_left, self.pad_bottom, self.pad_right)
        if not all(1 <= size <= MAX_SIDE for size in sizes) or not 1 <= self.channels <= MAX_CHANNELS:
            raise UnsupportedNetwork(f"a convolution has sides in 1..{MAX_SIDE} and channels in 1..{MAX_CHANNELS}, got {self}")
        if not (0 <= max(pads[::2]) < self.kernel_height and 0 <= max(pads[1::2]) < self.kernel_width and min(pads) >= 0):
            raise UnsupportedNetwork(f"padding must be smaller than the kernel, got {self}")
        if min(self.pooled[:2]) < 1 or min(self.positions) < 1:
            raise UnsupportedNetwork(f"the kernel or the pool is larger than what it reads: {self}")

    @property
    def picture(self) -> Picture:
        """Rows, columns and channels of what is read."""
        return Picture(self.height, self.width, self.channels)

    @property
    def strides(self) -> tuple[int, int]:
        """Down and across."""
        return self.stride, self.stride_across or self.stride

    @property
    def pool_sides(self) -> tuple[int, int]:
        """Rows and columns of the windows that are added up."""
        return self.pool, self.pool_across or self.pool

    @property
    def area(self) -> int:
        """Positions that are added up in one window."""
        return self.pool_sides[0] * self.pool_sides[1]

    @property
    def differs_by_side(self) -> bool:
        """Whether a stride or a pool is another one across than down."""
        return bool(self.stride_across or self.pool_across)

    @property
    def pooled(self) -> tuple[int, int, int]:
        """Height, width and channels of what the kernel reads."""
        return self.height // self.pool_sides[0], self.width // self.pool_sides[1], self.channels

    @property
    def positions(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        height, width, _ = self.pooled
        rows = (height + self.pad_top + self.pad_bottom - self.kernel_height) // self.strides[0] + 1
        return rows, (width + self.pad_left + self.pad_right - self.kernel_width) // self.strides[1] + 1

    @property
    def count(self) -> int:
        """Positions of the output."""
        return self.positions[0] * self.positions[1]

    @property
    def covers(self) -> bool:
        """Whether the kernel is as large as what it reads, without padding: then a layer is dense."""
        pads = (self.pad_top, self.pad_left, self.pad_bottom, self.pad_right)
        return (self.kernel_height, self.kernel_width) == self.pooled[:2] and not any(pads)

    @property
    def taps(self) -> int:
        """Weights of one output channel."""
        return self.kernel_height * self.kernel_width * self.channels

    @property
    def inputs(self) -> int:
        return self.height * self.width * self.channels

    def in_words(self, channels: int) -> str:
        """What a layer of so many output channels does, as in `12 x 12 x 6 by 16 kernels 5 x 5 to 8 x 8 x 16`."""
        read = f"{self.height} x {self.width} x {self.channels}"
        if self.area > 1:
            read += f" in averages of {self.pool_sides[0]} x {self.pool_sides[1]}"
        pads = (self.pad_top, self.pad_left, self.pad_bottom, self.pad_right)
        if self.count == 1 and not any(pads) and (self.kernel_height, self.kernel_width) == self.pooled[:2]:
            return f"{read} to {channels}"
        stride = "" if self.strides == (1, 1) else f", strides {self.strides[0]} x {self.strides[1]}" if self.stride_across else f", stride {self.stride}"
        padding = ", padded" if any(pads) else ""
        rows, columns = self.positions
        return f"{read} by {channels} kernels {self.kernel_height} x {self.kernel_width}{stride}{padding} to {rows} x {columns} x {channels}"

    def places(self) -> np.ndarray:
        """For each position the places of the pooled map that its kernel covers, row by row, -1 for padding: int64 [count, kernel]."""
        height, width, _ = self.pooled
        rows, columns = self.positions
        y = np.arange(rows)[:, None] * self.strides[0] + np.arange(self.kernel_height) - self.pad_top
        x = np.arange(columns)[:, None] * self.strides[1] + np.arange(self.kernel_width) - self.pad_left
        inside = ((y >= 0) & (y < height))[:, None, :, None] & ((x >= 0) & (x < width))[None, :, None, :]
        at = y[:, None, :, None] * width + x[None, :, None, :]
        return np.where(inside, at, -1).reshape(self.count, -1)

    def windows(self) -> np.ndarray:
        """For each position and tap the pooled number that is read, -1 for padding: int64 [count, taps]."""
        places = self.places()[:, :, None]
        return np.where(places >= 0, places * self.channels + np.arange(self.channels), -1).reshape(self.count, self.taps)

    def pools(self) -> np.ndarray:
        """For each number of the input the pooled number that it belongs to, -1 for none: int64 [inputs]."""
        height, width, channels = self.pooled
        y, x = np.arange(self.height) // self.pool_sides[0], np.arange(self.width) // self.pool_sides[1]
        at = np.where((y < height)[:, None] & (x < width)[None, :], y[:, None] * width + x[None, :], -1)
        return np.where(at[..., None] >= 0, at[..., None] * channels + np.arange(channels), -1).reshape(-1)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The pooled numbers of a batch, int64 [batch, inputs] -> [batch, pooled]."""
        (height, width, channels), (down, across) = self.pooled, self.pool_sides
        grid = values.reshape(-1, self.height, self.width, channels)[:, : height * down, : width * across]
        return grid.reshape(-1, height, down, width, across, channels).sum(axis=(2, 4)).reshape(len(values), -1)

    def read(self, values: np.ndarray) -> np.ndarray:
        """What each position's kernel meets, int64 [batch, inputs] -> [batch, count, taps]."""
        pooled = self.sums(values)
        padded = np.concatenate([pooled, np.zeros((len(pooled), 1), pooled.dtype)], axis=1)
        return padded[:, self.windows()]

    def to_bytes(self, by_side: bool = False) -> bytes:
        """Its numbers, u16 each, little-endian, in the order of the fields; without the last two unless strides and pools are said `by_side`, and
        then as they are: a file says all of its grids in one of the two ways."""
        numbers = [getattr(self, name) for name in _FIELDS]
        numbers += [self.strides[1], self.pool_sides[1]] if by_side else []
        return b"".join(number.to_bytes(_FIELD_BYTES, "little") for number in numbers)

    @classmethod
    def take(cls, reader: ByteReader, what: str, by_side: bool = False) -> Grid:
        """Parses `to_bytes` output at the cursor. Raises `MalformedFile`, or `UnsupportedNetwork` for sizes out of range."""
        numbers = [reader.unsigned(_FIELD_BYTES, f"{what} {name}") for name in (*_FIELDS, *(_ACROSS if by_side else ()))]
        if by_side and 0 in numbers[len(_FIELDS) :]:
            raise UnsupportedNetwork("a stride or a pool across is 0")
        return cls(*numbers)


_ACROSS = ("stride_across", "pool_across")
_FIELDS = tuple(name for name in Grid.__annotations__ if name not in _ACROSS)
