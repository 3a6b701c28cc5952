// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vault} from "../blocks/Vault.sol";
import {IMachine, IMachineErrors} from "./IMachine.sol";

/// Games of two about one claim "`steps` steps from start end in end": each round cuts the disputed span into up to k pieces, until one
/// step is left, which the machine runs. The pair (lo, hi) of a game is a state on which both agree and one on which they do not.
/// Each side has a clock like in chess: `allowance` seconds in all, and every move's first `increment` seconds are free.
abstract contract BisectionGame is Vault, IMachineErrors {
    enum Turn {
        NONE,
        START, // the asserter's: the first split, which brings its bond
        SPLIT, // the asserter's: states between lo and hi
        CHOOSE, // the challenger's: the first of them it disagrees with
        STEP, // one step is left: anybody may run it; if nobody can, the asserter's time runs out
        ASSERTER_WON,
        CHALLENGER_WON
    }

    struct Game {
        bytes32 pair; // keccak(lo | hi), or with the states between them: keccak(lo | hi | mids) while the challenger chooses
        uint48 from;
        uint48 to;
        uint40 last; // when the side to move got its turn
        uint24 leftA;
        uint24 leftC;
        Turn turn;
        uint64 claim;
        address challenger;
        uint96 bond; // of each side; the asserter's comes with its first split
    }

    event Split(uint256 indexed game, bytes32 lo, bytes32 hi, bytes32[] mids);
    event Chosen(uint256 indexed game, uint256 i, uint256 from, uint256 to);
    event Stepped(uint256 indexed game, uint256 t, bytes32 post);
    event GameOver(uint256 indexed game, bool asserterWon);

    error WrongTurn(uint256 game, Turn turn, Turn expected);
    error NotYours(address got, address expected);
    error OutOfTime(uint256 used, uint256 left);
    error StillTime(uint256 used, uint256 left);
    error WrongPair(bytes32 got, bytes32 expected);
    error WrongCount(uint256 got, uint256 expected);
    error WrongChoice(uint256 got, uint256 most);

    IMachine public immutable machine;
    uint24 public immutable allowance;
    uint24 public immutable increment;
    Game[] internal _games;

    constructor(IMachine machine_, uint24 allowance_, uint24 increment_) {
        (machine, allowance, increment) = (machine_, allowance_, increment_);
    }

    function gameAt(uint256 game) external view returns (Game memory) {
        return _games[game];
    }

    function games() external view returns (uint256) {
        return _games.length;
    }

    /// Asserter or its delegate: the states after each of the pieces' ends but the last; the first split brings the asserter's bond.
    function split(uint256 game, bytes32 lo, bytes32 hi, bytes32[] calldata mids) external payable {
        Game storage g = _games[game];
        uint256 k = _asserterMoves(g.claim);
        (uint256 from, uint256 to) = (g.from, g.to);
        bool first = g.turn == Turn.START;
        g.leftA = _clock(game, g, first ? Turn.START : Turn.SPLIT, g.leftA);
        _expect(g, keccak256(abi.encode(lo, hi)));
        uint256 pieces = to - from < k ? to - from : k;
        if (mids.length != pieces - 1) revert WrongCount(mids.length, pieces - 1);
        _exactly(first ? g.bond : 0);
        g.pair = keccak256(abi.encodePacked(lo, hi, mids));
        g.turn = Turn.CHOOSE;
        _hold(_gamePurpose(game));
        emit Split(game, lo, hi, mids);
    }

    /// Challenger: the first piece, from 1, whose end it disagrees with.
    function choose(uint256 game, uint256 i, bytes32 lo, bytes32 hi, bytes32[] calldata mids) external {
        Game storage g = _games[game];
        if (msg.sender != g.challenger) revert NotYours(msg.sender, g.challenger);
        (uint256 from, uint256 to) = (g.from, g.to);
        g.leftC = _clock(game, g, Turn.CHOOSE, g.leftC);
        _expect(g, keccak256(abi.encodePacked(lo, hi, mids)));
        uint256 pieces = mids.length + 1;
        if (i == 0 || i > pieces) revert WrongChoice(i, pieces);
        g.pair = keccak256(abi.encode(i == 1 ? lo : mids[i - 2], i == pieces ? hi : mids[i - 1]));
        (from, to) = (_end(from, to, pieces, i - 1), _end(from, to, pieces, i));
        (g.from, g.to) = (uint48(from), uint48(to));
        g.turn = to - from == 1 ? Turn.STEP : Turn.SPLIT;
        emit Chosen(game, i, from, to);
    }

    /// Anybody: runs the step that is left. Whoever stated what it gives has won.
    function prove(
        uint256 game,
        bytes32 lo,
        bytes32 hi,
        IMachine.Step calldata shown,
        bytes32[] calldata a,
        bytes32[] calldata b,
        bytes32[] calldata c
    ) external {
        Game storage g = _games[game];
        _clock(game, g, Turn.STEP, g.leftA);
        _expect(g, keccak256(abi.encode(lo, hi)));
        (address program, bytes32 seed) = _run(g.claim);
        bytes32 post = machine.step(program, seed, g.from, lo, shown, a, b, c);
        emit Stepped(game, g.from, post);
        _over(game, g, post == hi);
    }

    /// Anybody: the side whose clock ran out has lost.
    function timeout(uint256 game) external {
        Game storage g = _games[game];
        Turn turn = g.turn;
        if (turn == Turn.NONE || turn > Turn.STEP) revert WrongTurn(game, turn, Turn.STEP);
        uint256 left = (turn == Turn.CHOOSE ? g.leftC : g.leftA) + increment;
        uint256 used = block.timestamp - g.last;
        if (used <= left) revert StillTime(used, left);
        _over(game, g, turn == Turn.CHOOSE);
    }

    /// Refuses everybody but the claim's asserter and its delegate; the number of pieces it splits into.
    function _asserterMoves(uint256 claim) internal view virtual returns (uint256 k);

    /// What the claim says was run.
    function _run(uint256 claim) internal view virtual returns (address program, bytes32 seed);

    /// Tells the claim that one of its games is over; the claim's asserter.
    function _gameOver(uint256 claim, address challenger, bool asserterWon) internal virtual returns (address asserter);

    /// Opens a game about everything between `start` and `end`, with the challenger's bond.
    function _open(uint256 claim, bytes32 pair, uint256 steps, uint96 bond) internal returns (uint256 game) {
        game = _games.length;
        _games.push(
            Game(pair, 0, uint48(steps), uint40(block.timestamp), allowance, allowance, Turn.START, uint64(claim), msg.sender, bond)
        );
        _hold(_gamePurpose(game));
    }

    function _gamePurpose(uint256 game) internal pure returns (bytes32) {
        return keccak256(abi.encode("game", game));
    }

    /// What is left of the mover's allowance; checks the turn and the clock, and starts the other side's.
    function _clock(uint256 game, Game storage g, Turn turn, uint24 left) private returns (uint24) {
        if (g.turn != turn) revert WrongTurn(game, g.turn, turn);
        uint256 used = block.timestamp - g.last;
        if (used > uint256(left) + increment) revert OutOfTime(used, uint256(left) + increment);
        g.last = uint40(block.timestamp);
        return used > increment ? left - uint24(used - increment) : left;
    }

    function _expect(Game storage g, bytes32 pair) private view {
        if (g.pair != pair) revert WrongPair(pair, g.pair);
    }

    /// Winner: its own bond and half of the loser's; the other half is burned. An asserter that never moved has none here.
    function _over(uint256 game, Game storage g, bool asserterWon) private {
        (address challenger, uint96 bond) = (g.challenger, g.bond);
        bool both = g.turn != Turn.START;
        g.turn = asserterWon ? Turn.ASSERTER_WON : Turn.CHALLENGER_WON;
        g.pair = 0;
        emit GameOver(game, asserterWon);
        address asserter = _gameOver(g.claim, challenger, asserterWon);
        _free(_gamePurpose(game), asserterWon ? asserter : challenger, both ? bond + bond / 2 : bond);
        if (both) _burn(_gamePurpose(game), bond - bond / 2);
    }

    /// Where piece `i` of the span ends; no piece is longer than length / pieces, rounded up.
    function _end(uint256 from, uint256 to, uint256 pieces, uint256 i) private pure returns (uint256) {
        return from + (to - from) * i / pieces;
    }
}
