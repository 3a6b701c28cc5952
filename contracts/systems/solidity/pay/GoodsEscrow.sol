// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {DataLog} from "../blocks/DataLog.sol";
import {Vault} from "../blocks/Vault.sol";
import {IPrediction} from "../judge/IPrediction.sol";

/// What buyer and supplier agreed on. Only its hash is stored; every call brings it along.
struct Terms {
    address buyer;
    address supplier;
    address instrument;
    IPrediction prediction;
    bytes32 model;
    uint40 deadline;
    uint24 maxGap;
    uint16 dailyCap;
    uint96[] payout;
}

/// What the instrument measured and signed (EIP-712). `values` are bytes on the scale that the deal was opened with.
struct Reading {
    uint256 dealId;
    uint64 serial;
    uint40 time;
    bytes values;
}

/// A signature of the instrument in the short form of EIP-2098.
struct Signature {
    bytes32 r;
    bytes32 vs;
}

/// Pays a supplier by what a network says about signed readings: `payout[class]` for each delivery.
///
/// States: OPEN (funded for quota times the highest payout) until the deadline, the quota, or a notice after `close`; then
/// CLOSED, when `reclaim`, which anybody may send, gives the buyer what is left. Until then anybody may deliver, and a delivery
/// cannot be refused: not by the buyer, and not by the supplier who would rather not show a bad one (`maxGap`).
///
/// Invariants: a deal holds at least what was earned and (quota - done) times its highest payout; each serial of a deal pays
/// once; a delivery earns what the model of the terms says, and nothing takes that from the supplier again. To keep a delivery
/// cheap, one word has all that changes: earnings move to the supplier's credit with `collect` (or `reclaim`), which anybody may
/// send, and serials are told apart in a window of 32 below the highest one; older ones are refused.
contract GoodsEscrow is Vault, DataLog, EIP712 {
    event Opened(uint256 indexed id, address indexed buyer, address indexed supplier, uint256 quota, bytes32 scaleHash, Terms terms);
    event ToppedUp(uint256 indexed id, uint256 quota);
    event Delivered(uint256 indexed id, uint64 serial, uint256 class_, bytes values);
    event Closing(uint256 indexed id, uint256 closingAt);
    event Collected(uint256 indexed id, uint256 amount);
    event Closed(uint256 indexed id, uint256 returned);

    error NotTheBuyer(address sender, address buyer);
    error NotTheBuyerOrInstrument(address sender);
    error NoSuchDeal(uint256 id);
    error WrongTerms(bytes32 found, bytes32 expected);
    error WrongDeal(uint256 found, uint256 expected);
    error NoParty();
    error TooManyClasses(uint256 found, uint256 most);
    error DeadlineTooClose(uint256 deadline, uint256 least);
    error NothingPaid();
    error DealOver(uint256 id);
    error QuotaUsedUp(uint256 quota);
    error DealOpen(uint256 until);
    error AlreadyClosing(uint256 closingAt);
    error SerialUsed(uint64 serial);
    error SerialTooLarge(uint64 serial, uint64 most);
    error SerialTooOld(uint64 serial, uint64 least);
    error DealTooLarge(uint256 wei_, uint256 most);
    error NothingEarned(uint256 id);
    error TooManyGaps(uint256 missing, uint256 most);
    error DailyCapReached(uint256 cap);
    error FromTheFuture(uint40 time, uint256 now_);
    error WrongSigner(address found, address expected);
    error UnknownClass(uint256 class_, uint256 classes);
    error NotShown(bytes32 model, uint256 class_);

    bytes32 private constant READING = keccak256("Reading(uint256 dealId,uint64 serial,uint40 time,bytes values)");
    uint256 private constant MOST_CLASSES = 16;
    uint64 private constant MOST_SERIAL = type(uint24).max - 1;
    uint256 private constant WINDOW = 32;

    struct Deal {
        bytes32 terms;
        uint24 quota;
        uint24 done;
        uint24 next; // one more than the highest serial delivered
        uint40 closingAt;
        uint16 day;
        uint16 today;
        bool closed;
        uint72 earned; // and not yet collected
        uint32 seen; // bit i: serial next - 1 - i was delivered
    }

    /// How long goods on the way are still paid after the buyer asked to close.
    uint256 public immutable notice;
    uint256 public deals;
    mapping(uint256 id => Deal) private _deals;

    constructor(uint256 notice_) EIP712("zkpredict GoodsEscrow", "1") {
        notice = notice_;
    }

    /// Opens a deal and pays for `quota` deliveries at the highest payout. `scaleHash` says what the bytes of a reading mean.
    function open(Terms calldata t, uint24 quota, bytes32 scaleHash) external payable returns (uint256 id) {
        if (msg.sender != t.buyer) revert NotTheBuyer(msg.sender, t.buyer);
        if (t.supplier == address(0) || t.instrument == address(0)) revert NoParty();
        if (t.payout.length > MOST_CLASSES) revert TooManyClasses(t.payout.length, MOST_CLASSES);
        if (t.deadline < block.timestamp + notice) revert DeadlineTooClose(t.deadline, block.timestamp + notice);
        uint256 most = highestPayout(t);
        if (most == 0 || quota == 0) revert NothingPaid();
        _charge(most, quota, quota);
        id = ++deals;
        (_deals[id].terms, _deals[id].quota) = (keccak256(abi.encode(t)), quota);
        _hold(bytes32(id));
        emit Opened(id, t.buyer, t.supplier, quota, scaleHash, t);
    }

    /// Pays for `more` deliveries; anybody may.
    function topUp(uint256 id, Terms calldata t, uint24 more) external payable {
        Deal storage deal = _running(id, t);
        deal.quota += more;
        _charge(highestPayout(t), more, deal.quota);
        _hold(bytes32(id));
        emit ToppedUp(id, deal.quota);
    }

    /// Delivers one reading: `class_` is what the model says about it, as `evidence` shows. Anybody may.
    function deliver(uint256 id, Terms calldata t, Reading calldata r, Signature calldata signature, uint256 class_, bytes calldata evidence)
        external
    {
        Deal storage deal = _running(id, t);
        _deliver(id, deal, t, r, signature, class_, evidence);
    }

    /// Delivers several; all or none.
    function deliverBatch(
        uint256 id,
        Terms calldata t,
        Reading[] calldata r,
        Signature[] calldata signatures,
        uint256[] calldata classes,
        bytes[] calldata evidence
    ) external {
        Deal storage deal = _running(id, t);
        for (uint256 i = 0; i < r.length; i++) _deliver(id, deal, t, r[i], signatures[i], classes[i], evidence[i]);
    }

    /// The buyer wants no more; or the instrument itself, when its key is no longer what it was. Deliveries go on for `notice`.
    function close(uint256 id, Terms calldata t) external {
        Deal storage deal = _running(id, t);
        if (msg.sender != t.buyer && msg.sender != t.instrument) revert NotTheBuyerOrInstrument(msg.sender);
        if (deal.closingAt != 0) revert AlreadyClosing(deal.closingAt);
        deal.closingAt = uint40(block.timestamp + notice);
        emit Closing(id, deal.closingAt);
    }

    /// Moves what was earned to the supplier's credit; anybody may send this.
    function collect(uint256 id, Terms calldata t) external {
        Deal storage deal = _known(id, t);
        if (deal.earned == 0) revert NothingEarned(id);
        _collect(id, deal, t);
    }

    /// Ends a deal that is over and gives the buyer what is left; anybody may send this.
    function reclaim(uint256 id, Terms calldata t) external {
        Deal storage deal = _known(id, t);
        if (deal.closed) revert DealOver(id);
        if (deal.done < deal.quota && block.timestamp < _end(deal, t)) revert DealOpen(_end(deal, t));
        deal.closed = true;
        _collect(id, deal, t);
        uint256 left = held[bytes32(id)];
        _free(bytes32(id), t.buyer, left);
        emit Closed(id, left);
    }

    /// Everything that changes about a deal.
    function status(uint256 id) external view returns (Deal memory) {
        return _deals[id];
    }

    /// The hash of a deal's terms, 0 for no deal.
    function termsOf(uint256 id) external view returns (bytes32) {
        return _deals[id].terms;
    }

    /// What the instrument signs.
    function digest(Reading calldata r) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(READING, r.dealId, r.serial, r.time, keccak256(r.values))));
    }

    function highestPayout(Terms calldata t) public pure returns (uint256 most) {
        for (uint256 i = 0; i < t.payout.length; i++) if (t.payout[i] > most) most = t.payout[i];
    }

    function _deliver(
        uint256 id,
        Deal storage deal,
        Terms calldata t,
        Reading calldata r,
        Signature calldata signature,
        uint256 class_,
        bytes calldata evidence
    ) private {
        if (r.dealId != id) revert WrongDeal(r.dealId, id);
        if (r.time > block.timestamp) revert FromTheFuture(r.time, block.timestamp);
        if (class_ >= t.payout.length) revert UnknownClass(class_, t.payout.length);
        if (deal.done >= deal.quota) revert QuotaUsedUp(deal.quota);
        _use(deal, t, r.serial, t.payout[class_]);
        address signer = ECDSA.recover(digest(r), signature.r, signature.vs);
        if (signer != t.instrument) revert WrongSigner(signer, t.instrument);
        if (!t.prediction.holds(t.model, r.values, class_, evidence)) revert NotShown(t.model, class_);
        _append(keccak256(abi.encode(class_, keccak256(r.values), t.buyer, t.supplier, id, r.serial)));
        emit Delivered(id, r.serial, class_, r.values);
    }

    /// Marks a serial as delivered and counts it.
    function _use(Deal storage deal, Terms calldata t, uint64 serial, uint256 paid) private {
        Deal memory d = deal;
        if (serial > MOST_SERIAL) revert SerialTooLarge(serial, MOST_SERIAL);
        if (serial >= d.next) {
            uint256 ahead = serial + 1 - d.next;
            d.seen = ahead >= WINDOW ? 1 : uint32(uint256(d.seen) << ahead) | 1;
            d.next = uint24(serial + 1);
        } else {
            uint256 behind = d.next - 1 - serial;
            if (behind >= WINDOW) revert SerialTooOld(serial, uint64(d.next - WINDOW));
            if (d.seen >> behind & 1 != 0) revert SerialUsed(serial);
            d.seen |= uint32(1 << behind);
        }
        d.done++;
        if (d.next - d.done > t.maxGap) revert TooManyGaps(d.next - d.done, t.maxGap);
        uint16 day = uint16(block.timestamp / 1 days);
        d.today = day == d.day ? d.today + 1 : 1;
        d.day = day;
        if (t.dailyCap != 0 && d.today > t.dailyCap) revert DailyCapReached(t.dailyCap);
        d.earned += uint72(paid);
        (deal.done, deal.next, deal.day, deal.today, deal.earned, deal.seen) = (d.done, d.next, d.day, d.today, d.earned, d.seen);
    }

    function _collect(uint256 id, Deal storage deal, Terms calldata t) private {
        uint256 amount = deal.earned;
        deal.earned = 0;
        _free(bytes32(id), t.supplier, amount);
        emit Collected(id, amount);
    }

    /// Takes the payment for `more` deliveries of a deal that then has `quota` of them.
    function _charge(uint256 most, uint256 more, uint256 quota) private view {
        if (most * quota > type(uint72).max) revert DealTooLarge(most * quota, type(uint72).max);
        _exactly(most * more);
    }

    function _known(uint256 id, Terms calldata t) private view returns (Deal storage deal) {
        deal = _deals[id];
        if (deal.terms == 0) revert NoSuchDeal(id);
        bytes32 found = keccak256(abi.encode(t));
        if (found != deal.terms) revert WrongTerms(found, deal.terms);
    }

    function _running(uint256 id, Terms calldata t) private view returns (Deal storage deal) {
        deal = _known(id, t);
        if (deal.closed || block.timestamp >= _end(deal, t)) revert DealOver(id);
    }

    function _end(Deal storage deal, Terms calldata t) private view returns (uint256) {
        return deal.closingAt != 0 && deal.closingAt < t.deadline ? deal.closingAt : t.deadline;
    }
}
