// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BisectionGame} from "./BisectionGame.sol";
import {IMachine} from "./IMachine.sol";

/// Bonded claims about runs of the machine. A claim is OPEN for `window` seconds, in which anybody may open any number of games, all
/// in parallel; it is final when the window is over and all its games are over and won, and REFUTED by the first game it loses.
/// Refuted means not shown, never the opposite; anybody may claim again.
///
/// Money: the claim's bond, and one bond of each side in each game. The claim's goes back when it is final; at the first lost game half
/// of it to that winner, half burned. Games that are open then go on for their own bonds only.
abstract contract Claims is BisectionGame {
    enum State {
        NONE,
        OPEN,
        FINAL, // the bond is freed
        REFUTED
    }

    struct Claim {
        address asserter;
        uint40 until;
        uint32 openGames;
        State state;
        uint8 k;
        address delegate;
        uint96 bond;
        address program;
        uint48 steps;
        bytes32 pair; // keccak(start | end)
        bytes32 seed;
    }

    event Asserted(uint256 indexed claim, address indexed by, bytes32 start, bytes32 end);
    event Challenged(uint256 indexed claim, uint256 indexed game, address indexed by);
    event Final(uint256 indexed claim);
    event Refuted(uint256 indexed claim, address by);

    error NotOpen(uint256 claim, State state);
    error WindowClosed(uint256 time, uint256 until);
    error WindowOpen(uint256 time, uint256 until);
    error GamesOpen(uint256 claim, uint256 count);
    error BondTooSmall(uint256 got, uint256 least);
    error WrongArity(uint256 k, uint256 least, uint256 most);
    error WindowTooShort(uint256 got, uint256 least);

    uint256 public constant MIN_K = 2;
    uint256 public constant MAX_K = 64;
    uint256 public immutable window;
    /// Wei a unit of gas up to which bonds pay the other side's gas, four times over.
    uint256 public immutable priceCap;
    Claim[] internal _claims;

    constructor(IMachine machine_, uint40 window_, uint40 minWindow, uint24 allowance_, uint24 increment_, uint256 priceCap_)
        BisectionGame(machine_, allowance_, increment_)
    {
        if (window_ < minWindow) revert WindowTooShort(window_, minWindow);
        (window, priceCap) = (window_, priceCap_);
    }

    function claimAt(uint256 claim) external view returns (Claim memory) {
        return _claims[claim];
    }

    function claims() external view returns (uint256) {
        return _claims.length;
    }

    /// Whether nobody can refute it any more. Needs no transaction: `finalize` only gives the bond back.
    function isFinal(uint256 claim) public view returns (bool) {
        if (claim >= _claims.length) return false;
        Claim storage c = _claims[claim];
        return c.state == State.FINAL || (c.state == State.OPEN && block.timestamp > c.until && c.openGames == 0);
    }

    /// The bond of each side in a game of this length: four times the gas of one side's moves, at `priceCap`.
    function gameBond(uint256 steps, uint256 k) public view returns (uint96) {
        uint256 rounds = 0;
        for (uint256 left = steps; left > 1; left = (left + k - 1) / k) rounds++;
        return uint96(4 * priceCap * (MOVES_GAS + rounds * (ROUND_GAS + k * MID_GAS)));
    }

    uint256 private constant MOVES_GAS = 320_000; // challenge or first split, and the step with its settlement
    uint256 private constant ROUND_GAS = 36_000;
    uint256 private constant MID_GAS = 1_300;

    /// Anybody: opens a game, with the bond that `gameBond` says.
    function challenge(uint256 claim) external payable returns (uint256 game) {
        Claim storage c = _claims[claim];
        if (c.state != State.OPEN) revert NotOpen(claim, c.state);
        if (block.timestamp > c.until) revert WindowClosed(block.timestamp, c.until);
        uint96 bond = gameBond(c.steps, c.k);
        _exactly(bond);
        c.openGames++;
        game = _open(claim, c.pair, c.steps, bond);
        emit Challenged(claim, game, msg.sender);
    }

    /// Anybody: gives the bond of a final claim back.
    function finalize(uint256 claim) external {
        Claim storage c = _claims[claim];
        if (c.state != State.OPEN) revert NotOpen(claim, c.state);
        if (block.timestamp <= c.until) revert WindowOpen(block.timestamp, c.until);
        if (c.openGames != 0) revert GamesOpen(claim, c.openGames);
        c.state = State.FINAL;
        _free(_claimPurpose(claim), c.asserter, c.bond);
        emit Final(claim);
    }

    /// States that `program` makes `end` of `start`; what was sent is the bond, no less than a game's.
    function _assert(
        address program,
        bytes32 seed,
        bytes32 start,
        bytes32 end,
        uint256 k,
        address delegate
    ) internal returns (uint256 claim) {
        if (k < MIN_K || k > MAX_K) revert WrongArity(k, MIN_K, MAX_K);
        uint256 steps = machine.steps(program);
        uint256 least = gameBond(steps, k);
        if (msg.value < least) revert BondTooSmall(msg.value, least);
        claim = _claims.length;
        Claim storage c = _claims.push();
        (c.asserter, c.until, c.state, c.k) = (msg.sender, uint40(block.timestamp + window), State.OPEN, uint8(k));
        (c.delegate, c.bond) = (delegate, uint96(msg.value));
        (c.program, c.steps) = (program, uint48(steps));
        c.pair = keccak256(abi.encode(start, end));
        if (seed != 0) c.seed = seed;
        _hold(_claimPurpose(claim));
        emit Asserted(claim, msg.sender, start, end);
    }

    function _claimPurpose(uint256 claim) internal pure returns (bytes32) {
        return keccak256(abi.encode("claim", claim));
    }

    /// @inheritdoc BisectionGame
    function _asserterMoves(uint256 claim) internal view override returns (uint256 k) {
        Claim storage c = _claims[claim];
        if (msg.sender != c.asserter && msg.sender != c.delegate) revert NotYours(msg.sender, c.asserter);
        return c.k;
    }

    /// @inheritdoc BisectionGame
    function _run(uint256 claim) internal view override returns (address program, bytes32 seed) {
        return (_claims[claim].program, _claims[claim].seed);
    }

    /// @inheritdoc BisectionGame
    function _gameOver(uint256 claim, address challenger, bool asserterWon) internal override returns (address asserter) {
        Claim storage c = _claims[claim];
        c.openGames--;
        asserter = c.asserter;
        if (asserterWon || c.state != State.OPEN) return asserter;
        c.state = State.REFUTED;
        _slash(_claimPurpose(claim), challenger, c.bond);
        emit Refuted(claim, challenger);
    }
}
