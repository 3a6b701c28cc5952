"""keccak256 as on Ethereum (original padding), by whichever of two libraries this process has or may load.

The kernel's, where somebody has loaded the kernel; pycryptodome's for the verifier that does without. A test holds the two together.
"""

from __future__ import annotations

import sys


def keccak256(data: bytes) -> bytes:
    """32 bytes."""
    kernel = sys.modules.get("zkpredict_kernel")
    if kernel is not None:
        return kernel.keccak256(data)
    from Crypto.Hash import keccak  # late: it takes longer to load than a proof takes to verify

    return keccak.new(digest_bits=256, data=data).digest()
