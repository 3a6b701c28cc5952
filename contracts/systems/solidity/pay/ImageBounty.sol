// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Seal} from "../blocks/Seal.sol";
import {Vault} from "../blocks/Vault.sol";
import {IPrediction} from "../judge/IPrediction.sol";

/// What a bounty pays for: the first `wanted` inputs that the judge's model puts in class `class_`.
struct Offer {
    address judge;
    IPrediction prediction;
    bytes32 model;
    uint32 inputBytes;
    uint8 class_;
    uint16 wanted;
    uint16 places;
    uint96 reward;
    uint96 deposit;
    uint96 share;
    uint40 sealBy;
}

/// A pot for pictures of one class, judged by a network that nobody sees.
///
/// A bounty is OPEN for seals from the judge's `stand` until `sealBy` or until the pot is empty, then OVER when no claim is open
/// (`finish`, by anybody). A claim is SEALED (the claimant's deposit is held) -> SHOWN within `window`, else its deposit is
/// slashed -> ANSWERED within `window`: yes pays the reward and gives the deposit back, no pays the deposit to the judge. A judge
/// that does not answer loses a share of its bond, at least the reward, to the claimant, who also gets the deposit back.
///
/// Invariants: an open bounty holds left times the reward; every open claim holds its deposit and has a share of the judge's
/// bond behind it; an input is shown once.
contract ImageBounty is Vault {
    using Seal for Seal.Book;

    event Posted(uint256 indexed id, address indexed sponsor, Offer offer);
    event Stood(uint256 indexed id, address indexed judge, uint256 places);
    event Sealed(uint256 indexed id, address indexed claimant);
    event Shown(uint256 indexed id, address indexed claimant, bytes input);
    event Answered(uint256 indexed id, address indexed claimant, uint256 class_, uint256 paid);
    event Expired(uint256 indexed id, address indexed claimant, bool shown);
    event Finished(uint256 indexed id, uint256 returned);

    error BadOffer();
    error ShareTooSmall(uint256 share, uint256 least);
    error NoSuchBounty(uint256 id);
    error NotTheJudge(address sender, address judge);
    error BountyOver(uint256 id);
    error BountyOpen(uint256 id);
    error NoPlace(uint256 id);
    error AlreadyClaiming(uint256 id, address claimant);
    error NoClaim(uint256 id, address claimant);
    error NotShownYet(uint256 id, address claimant);
    error TooLateToPost(uint256 until);
    error TooLateToShow(uint256 until);
    error TooLateToAnswer(uint256 until);
    error TooEarly(uint256 until);
    error SamePicture(bytes32 inputHash);
    error WrongInput(bytes32 found, bytes32 expected);
    error WrongInputLength(uint256 found, uint256 expected);
    error NotShown(bytes32 model, uint256 class_);

    bytes32 private constant KIND = keccak256("zkpredict picture");

    struct Bounty {
        address sponsor;
        uint16 left;
        uint16 open;
        uint16 places;
        bool finished;
        Offer offer;
    }

    struct Claim {
        uint40 until;
        bytes32 inputHash; // 0 while sealed
    }

    /// How long a claimant has to show and the judge to answer.
    uint256 public immutable window;
    uint256 public bounties;
    mapping(uint256 id => Bounty) private _bounties;
    mapping(uint256 id => mapping(address claimant => Claim)) private _claims;
    mapping(uint256 id => mapping(bytes32 inputHash => bool)) public shown;
    Seal.Book private _seals;

    constructor(uint256 window_) {
        window = window_;
    }

    /// Posts a bounty and pays for all wanted pictures.
    function post(Offer calldata o) external payable returns (uint256 id) {
        if (o.judge == address(0) || o.wanted == 0 || o.places == 0 || o.reward == 0 || o.deposit == 0) revert BadOffer();
        if (o.sealBy <= block.timestamp) revert TooLateToPost(o.sealBy);
        // a silent judge must never be cheaper than the pot
        if (o.share < o.reward) revert ShareTooSmall(o.share, o.reward);
        _exactly(uint256(o.reward) * o.wanted);
        id = ++bounties;
        Bounty storage b = _bounties[id];
        (b.sponsor, b.left, b.offer) = (msg.sender, o.wanted, o);
        _hold(_pot(id));
        emit Posted(id, msg.sender, o);
    }

    /// The judge bonds itself for `places` claims at a time; more may be added later.
    function stand(uint256 id, uint16 places) external payable {
        Bounty storage b = _running(id);
        if (msg.sender != b.offer.judge) revert NotTheJudge(msg.sender, b.offer.judge);
        _exactly(uint256(b.offer.share) * places);
        b.places += places;
        _hold(_bond(id));
        emit Stood(id, msg.sender, b.places);
    }

    /// Commits to a picture. `seal` is `Seal.make(keccak256("zkpredict picture"), id, claimant, keccak256(input), salt)`.
    function seal(uint256 id, bytes32 seal_) external payable {
        Bounty storage b = _running(id);
        if (b.left == 0 || block.timestamp >= b.offer.sealBy) revert BountyOver(id);
        if (b.open >= b.places || b.open >= b.offer.places) revert NoPlace(id);
        Claim storage c = _claims[id][msg.sender];
        if (c.until != 0) revert AlreadyClaiming(id, msg.sender);
        _exactly(b.offer.deposit);
        _seals.commit(id, seal_);
        c.until = uint40(block.timestamp + window);
        b.open++;
        _hold(_depositOf(id, msg.sender));
        emit Sealed(id, msg.sender);
    }

    /// Shows the sealed picture; the judge has to answer.
    function show(uint256 id, bytes calldata input, bytes32 salt) external {
        Bounty storage b = _existing(id);
        Claim storage c = _claimed(id, msg.sender);
        if (block.timestamp >= c.until) revert TooLateToShow(c.until);
        if (input.length != b.offer.inputBytes) revert WrongInputLength(input.length, b.offer.inputBytes);
        bytes32 inputHash = keccak256(input);
        _seals.open(KIND, id, msg.sender, inputHash, salt);
        if (shown[id][inputHash]) revert SamePicture(inputHash);
        shown[id][inputHash] = true;
        (c.inputHash, c.until) = (inputHash, uint40(block.timestamp + window));
        emit Shown(id, msg.sender, input);
    }

    /// Says what the model says about a shown picture, with evidence; anybody who has it may.
    function answer(uint256 id, address claimant, bytes calldata input, uint256 class_, bytes calldata evidence) external {
        Bounty storage b = _existing(id);
        Claim storage c = _claimed(id, claimant);
        if (c.inputHash == 0) revert NotShownYet(id, claimant);
        if (block.timestamp >= c.until) revert TooLateToAnswer(c.until);
        if (keccak256(input) != c.inputHash) revert WrongInput(keccak256(input), c.inputHash);
        if (!b.offer.prediction.holds(b.offer.model, input, class_, evidence)) revert NotShown(b.offer.model, class_);
        _end(id, b, claimant);
        uint256 paid = 0;
        if (class_ == b.offer.class_) {
            _free(_depositOf(id, claimant), claimant, b.offer.deposit);
            if (b.left > 0) {
                b.left--;
                paid = b.offer.reward;
                _free(_pot(id), claimant, paid);
            }
        } else {
            _free(_depositOf(id, claimant), b.offer.judge, b.offer.deposit);
        }
        emit Answered(id, claimant, class_, paid);
    }

    /// Ends a claim whose time is over; anybody may send this.
    function expire(uint256 id, address claimant) external {
        Bounty storage b = _existing(id);
        Claim storage c = _claimed(id, claimant);
        if (block.timestamp < c.until) revert TooEarly(c.until);
        bool wasShown = c.inputHash != 0;
        _end(id, b, claimant);
        if (wasShown) {
            b.places--;
            _free(_depositOf(id, claimant), claimant, b.offer.deposit);
            _free(_bond(id), claimant, b.offer.share);
        } else {
            delete _seals.seals[id][claimant];
            _slash(_depositOf(id, claimant), b.offer.judge, b.offer.deposit);
        }
        emit Expired(id, claimant, wasShown);
    }

    /// Ends a bounty that takes no more claims: the sponsor gets what is left of the pot, the judge its bond. Anybody may.
    function finish(uint256 id) external {
        Bounty storage b = _running(id);
        if (b.open != 0 || (b.left != 0 && block.timestamp < b.offer.sealBy)) revert BountyOpen(id);
        b.finished = true;
        uint256 left = held[_pot(id)];
        _free(_pot(id), b.sponsor, left);
        _free(_bond(id), b.offer.judge, held[_bond(id)]);
        emit Finished(id, left);
    }

    /// What is offered, how many pictures are still wanted, open claims, places that the judge's bond covers, whether it is over.
    function status(uint256 id) external view returns (Offer memory offer, uint256 left, uint256 open, uint256 places, bool finished) {
        Bounty storage b = _bounties[id];
        return (b.offer, b.left, b.open, b.places, b.finished);
    }

    /// Until when the next step of a claim has to come (0: no claim), and the hash of its shown picture.
    function claimOf(uint256 id, address claimant) external view returns (uint256 until, bytes32 inputHash) {
        return (_claims[id][claimant].until, _claims[id][claimant].inputHash);
    }

    function _end(uint256 id, Bounty storage b, address claimant) private {
        delete _claims[id][claimant];
        b.open--;
    }

    function _existing(uint256 id) private view returns (Bounty storage b) {
        b = _bounties[id];
        if (b.sponsor == address(0)) revert NoSuchBounty(id);
    }

    function _running(uint256 id) private view returns (Bounty storage b) {
        b = _existing(id);
        if (b.finished) revert BountyOver(id);
    }

    function _claimed(uint256 id, address claimant) private view returns (Claim storage c) {
        c = _claims[id][claimant];
        if (c.until == 0) revert NoClaim(id, claimant);
    }

    function _pot(uint256 id) private pure returns (bytes32) {
        return keccak256(abi.encode("pot", id));
    }

    function _bond(uint256 id) private pure returns (bytes32) {
        return keccak256(abi.encode("bond", id));
    }

    function _depositOf(uint256 id, address claimant) private pure returns (bytes32) {
        return keccak256(abi.encode("deposit", id, claimant));
    }
}
