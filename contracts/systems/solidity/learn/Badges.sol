// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// EIP-5192: tokens that say that they cannot be moved.
interface IERC5192 {
    event Locked(uint256 tokenId);

    function locked(uint256 tokenId) external view returns (bool);
}

/// What accounts did in a program, as tokens that stay where they are: ERC-721 for wallets to show, locked by EIP-5192.
///
/// A token's number is `epoch << 161 | best << 160 | account`, so no account has the same badge twice.
/// Invariants: a badge is minted once, to the account in its number, by the contract that made this one, and never moves or burns;
/// minting calls nobody.
contract Badges is ERC721, IERC5192 {
    error Soulbound(uint256 tokenId);
    error NotTheProgram(address sender, address program);

    address public immutable program;

    constructor() ERC721("Life-long learning", "LEARN") {
        program = msg.sender;
    }

    /// Always true. Raises for a badge that nobody has.
    function locked(uint256 tokenId) external view returns (bool) {
        _requireOwned(tokenId);
        return true;
    }

    function supportsInterface(bytes4 id) public view override returns (bool) {
        return id == 0xb45a3c0e || super.supportsInterface(id);
    }

    /// The number of the badge of `who` for an epoch.
    function badgeOf(uint256 epoch, bool best, address who) public pure returns (uint256) {
        return epoch << 161 | (best ? 1 << 160 : 0) | uint160(who);
    }

    /// Gives `who` its badge for an epoch.
    function award(uint256 epoch, bool best, address who) external {
        if (msg.sender != program) revert NotTheProgram(msg.sender, program);
        uint256 tokenId = badgeOf(epoch, best, who);
        // not _safeMint: that would call the winner
        _mint(who, tokenId);
        emit Locked(tokenId);
    }

    function _update(address to, uint256 tokenId, address auth) internal override returns (address from) {
        from = super._update(to, tokenId, auth);
        if (from != address(0)) revert Soulbound(tokenId);
    }
}
