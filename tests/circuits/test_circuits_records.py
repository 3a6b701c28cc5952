"""`circuits.records` means what the standard library means: the same classes under both decorators, and a standard one on top of ours."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Generic, TypeVar

import pytest
from support import refuses

from zkpredict.circuits import records
from zkpredict.circuits.layout import Circuit

T = TypeVar("T")
BOTH = pytest.mark.parametrize("of", [dataclasses, records], ids=["standard", "ours"])


def classes(of):
    """Every kind of class that the package has."""

    @of.dataclass(frozen=True)
    class Base(Generic[T]):
        limits: ClassVar[dict[str, int]] = {}
        number: int
        name: str = "one"
        secret: int = of.field(default=7, repr=False)

    @of.dataclass(frozen=True)
    class Derived(Base[int]):
        name: str = "two"
        terms: dict[str, int] = of.field(default_factory=dict)

        def __post_init__(self) -> None:
            object.__setattr__(self, "number", self.number + 1)

    @of.dataclass
    class Open:
        values: list[int] = of.field(default_factory=list, repr=False)
        later: int | None = of.field(default=None, init=False)

        def __repr__(self) -> str:
            return "<open>"

    @of.dataclass(eq=False)
    class Plain(Open):
        more: int = 3

    @of.dataclass(frozen=True)
    class Named:
        one: int = of.field(default=1, kw_only=True)
        two: int
        three: dict[str, int] = of.field(default_factory=dict, kw_only=True)

    @of.dataclass(frozen=True)
    class Empty:
        pass

    return Base, Derived, Open, Plain, Empty, Named


def observed(action):
    """What an action gives, or how it fails."""
    try:
        return action()
    except (TypeError, AttributeError) as error:
        return type(error), str(error).split(".")[-1]


def behaviour(of) -> list:
    base, derived, opened, plain, empty, named = classes(of)
    one, other = derived(1, terms={"a": 2}), derived(number=1, terms={"a": 2})

    def assign(instance, name: str):
        setattr(instance, name, 5)
        return getattr(instance, name)

    return [
        repr(base(1)).split(".")[-1], repr(one).split(".")[-1], repr(opened([1])), repr(plain([1])), repr(empty()).split(".")[-1],
        one == other, one != other, one == base(2, "two"), base(1) == base(1), base(1) == 1, hash(base(1)) == hash(base(1)),
        observed(lambda: hash(one)), observed(lambda: hash(opened())), observed(lambda: hash(plain())), plain() == plain(),
        opened([1]) == opened([1]), len({empty(), empty()}), len({base(1), base(1), base(2)}),
        observed(lambda: assign(one, "number")), observed(lambda: assign(one, "other")), observed(lambda: delattr(one, "name")),
        assign(opened(), "later"), observed(lambda: base()), observed(lambda: base(1, 2, 3, 4)), observed(lambda: opened(later=1)),
        derived.terms if "terms" in vars(derived) else "no default on the class", base.name, base.secret, opened().values is opened().values,
        dataclasses.asdict(one), [field.name for field in dataclasses.fields(derived)], dataclasses.is_dataclass(plain), base.__match_args__,
        str(of.replace(base(1), name="x")).split(".")[-1], observed(lambda: of.replace(one, none=1)), dataclasses.replace(base(1), number=4).number,
        [*inspect.signature(derived(0).__init__).parameters], vars(one),
        vars(named(2)), vars(named(2, one=3, three={})), observed(lambda: named(1, 2)), named.__match_args__, vars(of.replace(named(2), one=5)),
        [*inspect.signature(named(0).__init__).parameters], [field.kw_only for field in dataclasses.fields(named)],
    ]  # fmt: skip


def test_classes_are_what_the_standard_decorator_makes_of_them():
    ours, standard = behaviour(records), behaviour(dataclasses)
    for number, (mine, theirs) in enumerate(zip(ours, standard, strict=True)):
        assert mine == theirs, f"observation {number}: {mine} instead of {theirs}"


@BOTH
def test_a_standard_dataclass_inherits_the_fields(of):
    base, *_ = classes(of)

    @dataclasses.dataclass(frozen=True)
    class Child(base):
        own: int = 9

    assert Child(1, own=2) == Child(1, "one", 7, 2) and [field.name for field in dataclasses.fields(Child)][-2:] == ["secret", "own"]
    assert records.replace(Child(1), number=3, own=4) == Child(3, own=4) and records.values_of(Child(1))["own"] == 9
    with pytest.raises(dataclasses.FrozenInstanceError):
        Child(1).number = 2


def test_a_record_refuses_what_it_would_get_wrong():
    @dataclasses.dataclass
    class Standard:
        number: int

    with refuses(TypeError, "Child inherits from the standard dataclass Standard: be one too"):

        @records.dataclass
        class Child(Standard):
            own: int = 1

    with refuses(TypeError, "Own defines __init__ itself: use the standard dataclass"):

        @records.dataclass
        class Own:
            def __init__(self) -> None: ...


def test_instances_travel_and_threads_may_make_the_first_one():
    circuit = Circuit((4, 3, 2), (1, 2), 1024)
    assert pickle.loads(pickle.dumps(circuit)) == circuit and hash(circuit) == hash(pickle.loads(pickle.dumps(circuit)))
    script = f"import pickle; c = pickle.loads({pickle.dumps(circuit)!r}); assert c == pickle.loads(pickle.dumps(c)); print(c)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(circuit)
    for _ in range(20):
        base, *_ = classes(records)
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(base, [1] * 64))) == 1
