// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// One random number for an object, from a block that was not there when everything that it decides about was fixed.
///
/// `arm` names a future block, `fix` takes the randomness of that block (`prevrandao`, EIP-4399) out of its header, whose hash
/// the history contract has (EIP-2935). Anybody may call both; calling early, late or twice changes nothing.
///
/// Invariants: a number is drawn once and never changes; the block is named before it exists and only after `_requireClosed`
/// lets it; it can be named anew only when nobody fixed it while its hash could be had, 8,191 blocks. The proposer of the block
/// can still leave it out, at the price of its reward: one bit of choice.
abstract contract Beacon {
    event Armed(uint256 indexed id, uint256 drawBlock);
    event Fixed(uint256 indexed id, bytes32 seed);

    error AlreadyArmed(uint256 id, uint256 drawBlock);
    error AlreadyDrawn(uint256 id);
    error NotArmed(uint256 id);
    error NotDrawn(uint256 id);
    error DrawTooEarly(uint256 blockNumber, uint256 drawBlock);
    error NoBlockHash(uint256 drawBlock);
    error WrongHeader(bytes32 found, bytes32 expected);

    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    uint256 private constant SERVED_BLOCKS = 8191;
    uint256 private constant MIX_HASH_FIELD = 13;

    struct Draw {
        uint64 drawBlock;
        bytes32 seed;
    }

    /// How many blocks ahead the drawing block lies.
    uint256 public immutable drawDelay;
    mapping(uint256 id => Draw) private _draws;

    constructor(uint256 drawDelay_) {
        drawDelay = drawDelay_ == 0 ? 1 : drawDelay_;
    }

    /// Names the block that draws for `id`.
    function arm(uint256 id) external {
        Draw storage draw = _draws[id];
        if (draw.seed != 0) revert AlreadyDrawn(id);
        if (draw.drawBlock != 0 && block.number <= draw.drawBlock + SERVED_BLOCKS) revert AlreadyArmed(id, draw.drawBlock);
        _requireClosed(id);
        draw.drawBlock = uint64(block.number + drawDelay);
        emit Armed(id, draw.drawBlock);
    }

    /// Draws from the header (RLP) of the block that `arm` named.
    function fix(uint256 id, bytes calldata header) external {
        Draw storage draw = _draws[id];
        if (draw.drawBlock == 0) revert NotArmed(id);
        if (draw.seed != 0) revert AlreadyDrawn(id);
        if (block.number <= draw.drawBlock) revert DrawTooEarly(block.number, draw.drawBlock);
        bytes32 expected = _hashOf(draw.drawBlock);
        if (keccak256(header) != expected) revert WrongHeader(keccak256(header), expected);
        draw.seed = keccak256(abi.encode(_mixHash(header), address(this), id));
        emit Fixed(id, draw.seed);
    }

    /// The block that draws for `id`, 0 before `arm`, and what it drew, 0 before `fix`.
    function drawn(uint256 id) public view returns (uint256 drawBlock, bytes32 seed) {
        return (_draws[id].drawBlock, _draws[id].seed);
    }

    /// Reverts while something that the number decides about can still be changed.
    function _requireClosed(uint256 id) internal view virtual;

    function _seed(uint256 id) internal view returns (bytes32 seed) {
        seed = _draws[id].seed;
        if (seed == 0) revert NotDrawn(id);
    }

    function _hashOf(uint256 number) private view returns (bytes32) {
        (bool success, bytes memory found) = HISTORY.staticcall(abi.encode(number));
        // an address without code "succeeds" with nothing
        if (!success || found.length != 32 || bytes32(found) == 0) revert NoBlockHash(number);
        return bytes32(found);
    }

    /// Field 13 of a header, whose hash says that it is a block's: well-formed RLP (Yellow Paper, appendix B).
    function _mixHash(bytes calldata header) private pure returns (bytes32) {
        uint256 place = 1 + uint8(header[0]) - 0xf7;
        for (uint256 i = 0; i < MIX_HASH_FIELD; i++) {
            uint256 first = uint8(header[place]);
            if (first < 0x80) place += 1;
            else if (first < 0xb8) place += 1 + first - 0x80;
            else place += 1 + (first - 0xb7) + _number(header[place + 1:place + 1 + first - 0xb7]);
        }
        return bytes32(header[place + 1:place + 33]);
    }

    function _number(bytes calldata digits) private pure returns (uint256 value) {
        for (uint256 i = 0; i < digits.length; i++) value = value << 8 | uint8(digits[i]);
    }
}
