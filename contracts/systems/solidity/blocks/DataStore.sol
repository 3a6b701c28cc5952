// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Data as the code of a contract: one STOP byte, then the data, so nobody can run or change it.
///
/// Invariants: what `write` stored, `read` gives back for ever; an address that is no data contract is refused.
library DataStore {
    error TooMuchData(uint256 bytes_, uint256 most);
    error NoData(address holder);
    error WriteFailed();

    /// EIP-170's limit less the STOP byte.
    uint256 internal constant MOST = 24_575;

    /// Stores `data` in a new contract.
    function write(bytes memory data) internal returns (address holder) {
        if (data.length > MOST) revert TooMuchData(data.length, MOST);
        // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: the code is what follows these 10 bytes
        bytes memory creation = abi.encodePacked(hex"61", uint16(data.length + 1), hex"80600a5f395ff3", hex"00", data);
        // Plain equivalent: holder = new <creation>(). Solidity has no way to say it.
        assembly ("memory-safe") {
            holder := create(0, add(creation, 32), mload(creation))
        }
        if (holder == address(0)) revert WriteFailed();
    }

    /// What the data contract at `holder` holds.
    function read(address holder) internal view returns (bytes memory data) {
        bytes memory code = holder.code;
        if (code.length == 0 || code[0] != 0) revert NoData(holder);
        data = code;
        // Plain equivalent: data = code[1:].
        assembly ("memory-safe") {
            let length := sub(mload(code), 1)
            data := add(code, 1)
            mstore(data, length)
        }
    }
}
