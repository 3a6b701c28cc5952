"""Vault: a random machine against a model of held and credited money, accounts that refuse ether, and re-entry."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from world import BURNED, Refused, check_vault, machine_settings, new, same

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Reverted

PURPOSES = [bytes([n]) * 32 for n in (1, 2, 3)]
purposes, amounts, people = st.sampled_from(PURPOSES), st.integers(0, 9), st.integers(0, 2)


class VaultMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.vault = new(EmbeddedChain(), "VaultBench")
        self.people = [self.vault.chain.account(n) for n in range(3)]
        self.held = dict.fromkeys(PURPOSES, 0)
        self.credit = {**{person.sender: 0 for person in self.people}, BURNED: 0}

    def take(self, purpose, amount):
        if self.held[purpose] < amount:
            raise Refused("NotEnoughHeld")
        self.held[purpose] -= amount

    @rule(purpose=purposes, sent=amounts, expected=amounts)
    def hold(self, purpose, sent, expected):
        def model():
            if sent != expected:
                raise Refused("WrongPayment")
            self.held[purpose] += sent

        same(lambda: self.vault.transact("hold", purpose, expected, value=sent), model)

    @rule(purpose=purposes, amount=st.integers(1, 9))
    def bring(self, purpose, amount):
        self.hold(purpose, amount, amount)

    @rule(source=purposes, to=purposes, amount=amounts)
    def move(self, source, to, amount):
        def model():
            self.take(source, amount)
            self.held[to] += amount

        same(lambda: self.vault.transact("move", source, to, amount), model)

    @rule(purpose=purposes, who=people, amount=amounts, kind=st.sampled_from(["free", "slash", "burn"]))
    def spend(self, purpose, who, amount, kind):
        to = self.people[who].sender
        kept = {"free": amount, "slash": amount // 2, "burn": 0}[kind]

        def model():
            self.take(purpose, amount)
            self.credit[to] += kept
            self.credit[BURNED] += amount - kept

        arguments = (purpose, amount) if kind == "burn" else (purpose, to, amount)
        same(lambda: self.vault.transact(kind, *arguments), model)

    @rule(who=people, by=people)
    def withdraw(self, who, by):
        account, sender = self.people[who].sender, self.people[by]
        before, paid = self.vault.chain.balance(account), self.credit[account]

        def model():
            if not self.credit[account]:
                raise Refused("NoCredit")
            self.credit[account] = 0

        contract = self.vault.by(sender)
        refused = same(lambda: contract.transact("withdraw") if who == by else contract.transact("withdrawFor", account), model)
        if not refused and who != by:
            assert self.vault.chain.balance(account) == before + paid

    @invariant()
    def money_is_accounted_for(self):
        check_vault(self.vault, self.held, self.credit)


VaultMachine.TestCase.settings = machine_settings(6, 15)
TestVault = VaultMachine.TestCase


@pytest.mark.parametrize("calls_back", [False, True])
def test_an_account_that_refuses_or_calls_back_keeps_only_itself_waiting(embedded, calls_back):
    vault, bad = new(embedded, "VaultBench"), new(embedded, "BadAccount", calls_back)
    vault.transact("hold", PURPOSES[0], 10, value=10)
    vault.transact("free", PURPOSES[0], bad.address, 4)
    vault.transact("free", PURPOSES[0], embedded.account(1).sender, 6)
    with pytest.raises(Reverted) as refusal:
        vault.transact("withdrawFor", bad.address)
    assert (refusal.value.name, refusal.value.arguments) == ("PaymentFailed", (bad.address.lower(), 4))
    vault.transact("withdrawFor", embedded.account(1).sender)
    check_vault(vault, {PURPOSES[0]: 0}, {bad.address: 4})


def test_ether_arrives_only_where_it_is_held(embedded):
    vault = new(embedded, "VaultBench")
    with pytest.raises(Reverted):
        embedded.transact(vault.address, b"", value=1)
    assert embedded.balance(vault.address) == 0
