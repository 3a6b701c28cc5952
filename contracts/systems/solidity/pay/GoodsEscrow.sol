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
    bytes32 scaleHash;
    uint40 deadline;
    uint32 maxGap;
    uint32 dailyCap;
    uint96[] payout;
}

/// What the instrument measured and signed (EIP-712). `values` are bytes on the scale that the terms name.
struct Reading {
    uint256 dealId;
    uint64 serial;
    uint40 time;
    bytes values;
}

/// Pays a supplier by what a network says about signed readings: `payout[class]` for each delivery.
///
/// States: OPEN (funded for quota times the highest payout) until the deadline, the quota, or a notice after `close`; then
/// CLOSED, when `reclaim`, which anybody may send, gives the buyer what is left. Until then anybody may deliver, and a delivery
/// cannot be refused: not by the buyer, and not by the supplier who would rather not show a bad one (`maxGap`).
///
/// Invariants: a deal holds at least (quota - done) times its highest payout; each serial of a deal pays once; a delivery pays
/// what the model of the terms says, and the supplier's credit is final.
contract GoodsEscrow is Vault, DataLog, EIP712 {
    event Opened(uint256 indexed id, address indexed buyer, address indexed supplier, uint256 quota, Terms terms);
    event ToppedUp(uint256 indexed id, uint256 quota);
    event Delivered(uint256 indexed id, uint64 serial, uint256 class_, uint256 paid, bytes values);
    event Closing(uint256 indexed id, uint256 closingAt);
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
    error TooManyGaps(uint256 missing, uint256 most);
    error DailyCapReached(uint256 cap);
    error FromTheFuture(uint40 time, uint256 now_);
    error WrongSigner(address found, address expected);
    error UnknownClass(uint256 class_, uint256 classes);
    error NotShown(bytes32 model, uint256 class_);

    bytes32 private constant READING = keccak256("Reading(uint256 dealId,uint64 serial,uint40 time,bytes values)");
    uint256 private constant MOST_CLASSES = 16;
    uint64 private constant MOST_SERIAL = type(uint32).max;

    struct Deal {
        bytes32 terms;
        uint32 quota;
        uint32 done;
        uint32 next; // one more than the highest serial delivered
        uint40 closingAt;
        uint32 day;
        uint32 today;
        bool closed;
    }

    /// How long goods on the way are still paid after the buyer asked to close.
    uint256 public immutable notice;
    uint256 public deals;
    mapping(uint256 id => Deal) private _deals;
    mapping(uint256 id => mapping(uint256 word => uint256 bits)) private _used;

    constructor(uint256 notice_) EIP712("zkpredict GoodsEscrow", "1") {
        notice = notice_;
    }

    /// Opens a deal and pays for `quota` deliveries at the highest payout.
    function open(Terms calldata t, uint32 quota) external payable returns (uint256 id) {
        if (msg.sender != t.buyer) revert NotTheBuyer(msg.sender, t.buyer);
        if (t.supplier == address(0) || t.instrument == address(0)) revert NoParty();
        if (t.payout.length > MOST_CLASSES) revert TooManyClasses(t.payout.length, MOST_CLASSES);
        if (t.deadline < block.timestamp + notice) revert DeadlineTooClose(t.deadline, block.timestamp + notice);
        uint256 most = highestPayout(t);
        if (most == 0 || quota == 0) revert NothingPaid();
        _exactly(most * quota);
        id = ++deals;
        (_deals[id].terms, _deals[id].quota) = (keccak256(abi.encode(t)), quota);
        _hold(bytes32(id));
        emit Opened(id, t.buyer, t.supplier, quota, t);
    }

    /// Pays for `more` deliveries; anybody may.
    function topUp(uint256 id, Terms calldata t, uint32 more) external payable {
        Deal storage deal = _running(id, t);
        _exactly(highestPayout(t) * more);
        deal.quota += more;
        _hold(bytes32(id));
        emit ToppedUp(id, deal.quota);
    }

    /// Delivers one reading: `class_` is what the model says about it, as `evidence` shows. Anybody may.
    function deliver(uint256 id, Terms calldata t, Reading calldata r, bytes calldata signature, uint256 class_, bytes calldata evidence)
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
        bytes[] calldata signatures,
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

    /// Ends a deal that is over and gives the buyer what is left; anybody may send this.
    function reclaim(uint256 id, Terms calldata t) external {
        Deal storage deal = _known(id, t);
        if (deal.closed) revert DealOver(id);
        if (deal.done < deal.quota && block.timestamp < _end(deal, t)) revert DealOpen(_end(deal, t));
        deal.closed = true;
        uint256 left = held[bytes32(id)];
        _free(bytes32(id), t.buyer, left);
        emit Closed(id, left);
    }

    /// Quota, deliveries, missing serials below the highest one, when it closes (0: not asked), whether it is over.
    function status(uint256 id) external view returns (uint256 quota, uint256 done, uint256 missing, uint256 closingAt, bool closed) {
        Deal storage deal = _deals[id];
        return (deal.quota, deal.done, deal.next - deal.done, deal.closingAt, deal.closed);
    }

    /// The hash of a deal's terms, 0 for no deal.
    function termsOf(uint256 id) external view returns (bytes32) {
        return _deals[id].terms;
    }

    /// Whether a serial of a deal was delivered.
    function delivered(uint256 id, uint64 serial) external view returns (bool) {
        return _used[id][serial >> 8] >> (serial & 255) & 1 == 1;
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
        bytes calldata signature,
        uint256 class_,
        bytes calldata evidence
    ) private {
        if (r.dealId != id) revert WrongDeal(r.dealId, id);
        if (r.time > block.timestamp) revert FromTheFuture(r.time, block.timestamp);
        if (class_ >= t.payout.length) revert UnknownClass(class_, t.payout.length);
        if (deal.done >= deal.quota) revert QuotaUsedUp(deal.quota);
        _use(id, deal, t, r.serial);
        address signer = ECDSA.recover(digest(r), signature);
        if (signer != t.instrument) revert WrongSigner(signer, t.instrument);
        if (!t.prediction.holds(t.model, r.values, class_, evidence)) revert NotShown(t.model, class_);
        _free(bytes32(id), t.supplier, t.payout[class_]);
        _append(keccak256(abi.encode(class_, keccak256(r.values), t.buyer, t.supplier, id, r.serial)));
        emit Delivered(id, r.serial, class_, t.payout[class_], r.values);
    }

    /// Marks a serial as delivered and counts it.
    function _use(uint256 id, Deal storage deal, Terms calldata t, uint64 serial) private {
        if (serial >= MOST_SERIAL) revert SerialTooLarge(serial, MOST_SERIAL);
        uint256 bit = 1 << (serial & 255);
        uint256 bits = _used[id][serial >> 8];
        if (bits & bit != 0) revert SerialUsed(serial);
        _used[id][serial >> 8] = bits | bit;
        uint32 done = deal.done + 1;
        uint32 next = serial < deal.next ? deal.next : uint32(serial + 1);
        if (next - done > t.maxGap) revert TooManyGaps(next - done, t.maxGap);
        uint32 day = uint32(block.timestamp / 1 days);
        uint32 today = day == deal.day ? deal.today + 1 : 1;
        if (t.dailyCap != 0 && today > t.dailyCap) revert DailyCapReached(t.dailyCap);
        (deal.done, deal.next, deal.day, deal.today) = (done, next, day, today);
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
