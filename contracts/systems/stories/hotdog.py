"""Hot dogs: a pot pays for pictures that a hidden judge puts in one class. One is, one is not, and once the judge says nothing.

The judge is the shipped network; of its ten classes, class 4 is the hot dog.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zkpredict.contracts.chain.interface import Contract, Receipt
from zkpredict.contracts.systems.goods import GOOD_APPLE, apple_network, apples
from zkpredict.contracts.systems.judges import OpenJudge, StoredJudge
from zkpredict.contracts.systems.pay import PICTURE, Offer
from zkpredict.contracts.systems.seals import derive_salt, seal
from zkpredict.contracts.systems.stage import Stage, ether
from zkpredict.contracts.systems.stories import Attack, Guard

CAST = ("sponsor", "judge", "anna", "ben", "carl", "stranger")
HOT_DOG = 4
DAY = 86_400
REWARD, DEPOSIT, SHARE = 5 * 10**16, 10**16, 5 * 10**16
BOUNTY = "pay/ImageBounty.sol"


@dataclass
class Bounty:
    """A bounty on a stage, and the salts of its claimants."""

    stage: Stage
    contract: Contract
    judge: OpenJudge | StoredJudge
    offer: Offer
    number: int = 1
    sealed: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def post(cls, stage: Stage, judge: OpenJudge | StoredJudge, wanted_class: int, share: int = SHARE) -> Bounty:
        """The sponsor posts a bounty for two pictures; the judge stands for three claims at a time."""
        contract = stage.deploy("sponsor", "ImageBounty", DAY, vault=True)
        offer = Offer(
            stage.address("judge"), judge.prediction, judge.model, judge.inputs, wanted_class, 2, 3, REWARD, DEPOSIT, share,
            stage.now + 10 * DAY,
        )
        what = f"offers {ether(REWARD)} for each of 2 pictures"
        random = (offer.seal_by.to_bytes(4, "big"),)
        stage.act("sponsor", what, contract, "post", offer.argument, value=2 * REWARD, label="post a bounty", random=random)
        stage.act("judge", f"bonds itself with {ether(3 * share)} for three claims at a time", contract, "stand", 1, 3, value=3 * share, label="stand")
        return cls(stage, contract, judge, offer)

    def salt(self, who: str) -> bytes:
        return derive_salt(self.stage.key(who), PICTURE, self.stage.chain.chain_id, self.contract.address, self.number)

    def seal(self, who: str, picture: bytes, *, made: bytes | None = None, value: int = DEPOSIT, label: str = "") -> Receipt:
        """Seals a picture, or commits to a seal that somebody else made."""
        chain = self.stage.chain.chain_id
        if made is None:
            made = seal(PICTURE, chain, self.contract.address, self.number, self.stage.address(who), picture, self.salt(who))
        self.sealed[who] = made
        return self.stage.act(
            who, "seals a picture", self.contract, "seal", self.number, made, value=value, label=label, random=(made,)
        )

    def show(self, who: str, picture: bytes, *, salt: bytes | None = None, what: str = "shows the picture", label: str = "") -> Receipt:
        return self.stage.act(who, what, self.contract, "show", self.number, picture, salt or self.salt(who), label=label, random=(salt or self.salt(who),))

    def answer(self, who: str, picture: bytes, what: str, label: str = "") -> Receipt:
        arguments = self.number, self.stage.address(who), picture, self.judge.says(picture), self.judge.evidence(picture)
        return self.stage.act("judge", what, self.contract, "answer", *arguments, label=label)

    def expire(self, by: str, who: str, what: str, label: str = "") -> Receipt:
        return self.stage.act(by, what, self.contract, "expire", self.number, self.stage.address(who), label=label)


def play(stage: Stage) -> None:
    judge = StoredJudge.deploy(stage, "judge")
    yes = next(picture for picture in judge.answers if judge.says(picture) == HOT_DOG)
    no, other = (picture for picture in judge.answers if picture != yes)
    bounty = Bounty.post(stage, judge, HOT_DOG)
    for who, picture in (("anna", yes), ("ben", no), ("carl", other)):
        bounty.seal(who, picture, label="seal")
    stage.wait(DAY // 24)
    for who, picture in (("anna", yes), ("ben", no), ("carl", other)):
        bounty.show(who, picture, label="show")
    bounty.answer("anna", yes, f"proves that anna's is a hot dog: {ether(REWARD)} for her", label="answer yes")
    bounty.answer("ben", no, f"proves that ben's is in class {judge.says(no)}, not a hot dog: keeps his deposit", label="answer no")
    stage.wait(DAY)
    bounty.expire("stranger", "carl", "ends carl's claim: the judge said nothing, and pays carl a share of its bond", label="expire")
    stage.wait(10 * DAY)
    stage.act("stranger", "ends the bounty, as anybody may", bounty.contract, "finish", 1, label="finish")


def _start(stage: Stage, share: int = SHARE) -> tuple[Bounty, list[bytes]]:
    """A bounty with a judge in the open, and pictures that it pays for."""
    network = apple_network()
    good = [row.tobytes() for row in apples(12, 6)[0] if network.predict(row) == GOOD_APPLE]
    return Bounty.post(stage, OpenJudge.deploy(stage, "judge", network), GOOD_APPLE, share), good


def _steal_picture(stage: Stage) -> None:
    bounty, (picture, *_) = _start(stage)
    bounty.seal("anna", picture)
    bounty.seal("ben", picture, made=bounty.sealed["anna"])
    bounty.show("ben", picture, salt=bounty.salt("anna"), what="sees anna's picture on its way, and shows it first")


def _same_picture(stage: Stage) -> None:
    bounty, (picture, *_) = _start(stage)
    bounty.seal("anna", picture)
    bounty.seal("ben", picture)
    bounty.show("anna", picture)
    bounty.answer("anna", picture, "answers yes")
    bounty.show("ben", picture, what="shows the same picture for a second reward")


def _silent_judge(stage: Stage) -> None:
    bounty, (picture, *_) = _start(stage)
    bounty.seal("anna", picture)
    bounty.show("anna", picture)
    stage.wait(11 * DAY)
    stage.act("judge", "never answers, and takes its bond back", bounty.contract, "finish", 1)


def _cheap_silence(stage: Stage) -> None:
    _start(stage, share=REWARD // 10)


def _late_answer(stage: Stage) -> None:
    bounty, (picture, *_) = _start(stage)
    bounty.seal("anna", picture)
    bounty.show("anna", picture)
    stage.wait(DAY)
    bounty.answer("anna", picture, "answers when its share is already anna's")


def _early_expire(stage: Stage) -> None:
    bounty, (picture, *_) = _start(stage)
    bounty.seal("anna", picture)
    bounty.show("anna", picture)
    bounty.expire("anna", "anna", "asks for the judge's share at once")


def _late_show(stage: Stage) -> None:
    bounty, (picture, *_) = _start(stage)
    bounty.seal("anna", picture)
    stage.wait(DAY)
    bounty.show("anna", picture, what="shows after having watched the others for a day")


def _crowd(stage: Stage) -> None:
    bounty, pictures = _start(stage)
    for who, picture in zip(("anna", "ben", "carl", "stranger"), pictures, strict=False):
        bounty.seal(who, picture)


def _free_claim(stage: Stage) -> None:
    bounty, (picture, *_) = _start(stage)
    bounty.seal("anna", picture, value=0)


def _guard(text: str, file: str = BOUNTY) -> tuple[Guard, ...]:
    return (Guard(file, text),)


_OF = ("ImageBounty",)
ATTACKS = (
    Attack("steal-picture", "a claim is copied and shown before its owner shows it", _OF,
           _guard("if (found != expected) revert SealBroken(found, expected);", "blocks/Seal.sol"), _steal_picture, "SealBroken"),
    Attack("same-picture", "one picture is paid twice", _OF,
           _guard("if (shown[id][inputHash]) revert SamePicture(inputHash);"), _same_picture, "SamePicture"),
    Attack("silent-judge", "the judge keeps its bond and never answers", _OF,
           _guard("if (b.open != 0 || (b.left != 0 && block.timestamp < b.offer.sealBy)) revert BountyOpen(id);"), _silent_judge, "BountyOpen"),
    Attack("cheap-silence", "silence costs the judge less than the pot", _OF,
           _guard("if (o.share < o.reward) revert ShareTooSmall(o.share, o.reward);"), _cheap_silence, "ShareTooSmall"),
    Attack("late-answer", "the judge answers after its time", _OF,
           _guard("if (block.timestamp >= c.until) revert TooLateToAnswer(c.until);"), _late_answer, "TooLateToAnswer"),
    Attack("early-expire", "a claimant takes the judge's share before its time is over", _OF,
           _guard("if (block.timestamp < c.until) revert TooEarly(c.until);"), _early_expire, "TooEarly"),
    Attack("late-show", "a claimant seals, and decides later", _OF,
           _guard("if (block.timestamp >= c.until) revert TooLateToShow(c.until);"), _late_show, "TooLateToShow"),
    Attack("crowd", "more claims than the judge's bond covers", _OF,
           _guard("if (b.open >= b.places || b.open >= b.offer.places) revert NoPlace(id);"), _crowd, "NoPlace"),
    Attack("free-claim", "claims without a deposit keep the judge busy", _OF,
           _guard("if (msg.value != expected) revert WrongPayment(msg.value, expected);", "blocks/Vault.sol"), _free_claim, "WrongPayment"),
)
