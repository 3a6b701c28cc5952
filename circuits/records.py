"""`dataclass`, `field` and `replace` as in the standard library, of which a process only pays for the classes that it uses.

The standard decorator compiles every method where the class stands, and its module loads all of `inspect`: together a third of what
starting `zkpredict verify` took. Here nothing is compiled but an `__init__`, once there are many instances; the other methods are closures.
What a class means is the standard's: type checkers see only that one, and `dataclasses.fields`, `asdict` and standard subclasses get
its own answer. Options are `frozen` and `eq`, those of fields `default`, `default_factory`, `init`, `repr` and `kw_only`; annotations are strings
(`from __future__ import annotations`).
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

_UNSET: Any = object()
_COMPILED_FROM = 50
"""The instance of a class from which on it is cheaper to have compiled its `__init__`."""


class _Field:
    """What a class says about one of its fields; `kind` is its annotation."""

    def __init__(self, default: Any, factory: Any, init: bool = True, repr: bool = True, kw_only: bool = False) -> None:
        self.default, self.factory, self.init, self.repr, self.kw_only, self.kind = default, factory, init, repr, kw_only, ""

    def made(self) -> Any:
        """What it is when nothing is given."""
        return self.default if self.factory is _UNSET else self.factory()


class _Record:
    """A class with its options and, in order, the fields of its bases and its own."""

    def __init__(self, cls: type, frozen: bool, eq: bool) -> None:
        self.cls, self.frozen, self.eq = cls, frozen, eq
        self.fields: dict[str, _Field] = {}
        for base in reversed(cls.__mro__[1:]):
            if isinstance(known := vars(base).get("__record__"), _Record):
                self.fields |= known.fields
            elif "__dataclass_fields__" in vars(base):
                raise TypeError(f"{cls.__name__} inherits from the standard dataclass {base.__name__}: be one too")
        for name, kind in vars(cls).get("__annotations__", {}).items():
            if not kind.startswith("ClassVar"):
                given = vars(cls).get(name, _UNSET)
                one = self.fields[name] = given if isinstance(given, _Field) else _Field(given, _UNSET)
                one.kind = kind
                if one is given:
                    delattr(cls, name) if one.default is _UNSET else setattr(cls, name, one.default)

        inits = {name: one for name, one in self.fields.items() if one.init}
        self.taken, self.follows = inits.keys(), hasattr(cls, "__post_init__")
        self.required = {name for name, one in inits.items() if one.default is _UNSET and one.factory is _UNSET}

    def initialiser(self) -> Callable[..., None]:
        """The class's `__init__`, compiled."""
        scope: dict[str, Any] = {"_set": object.__setattr__, "_unset": _UNSET}
        positional, named, lines = ["self"], ["*"], []
        for name, one in self.fields.items():
            parameters = named if one.kw_only else positional
            scope |= {f"_default_{name}": one.default, f"_factory_{name}": one.factory}
            value = name
            if one.factory is not _UNSET:
                value = f"_factory_{name}() if {name} is _unset else {name}" if one.init else f"_factory_{name}()"
                parameters += [f"{name}=_unset"] if one.init else []
            elif one.init:
                parameters.append(name if one.default is _UNSET else f"{name}=_default_{name}")
            else:
                value = f"_default_{name}"
            lines.append(f"_set(self, {name!r}, {value})" if self.frozen else f"self.{name} = {value}")
        lines += ["self.__post_init__()"] if self.follows else []
        exec(f"def __init__({', '.join(positional + named * (len(named) > 1))}):\n " + "\n ".join(lines or ["pass"]), scope)
        made: Callable[..., None] = scope["__init__"]
        made.__qualname__ = f"{self.cls.__qualname__}.__init__"
        return made

    def standard(self) -> type:
        """A standard dataclass with the same fields and options."""
        import dataclasses  # late: few ask

        def of(one: _Field) -> Any:
            given = {"default": one.default, "default_factory": one.factory}
            return dataclasses.field(init=one.init, repr=one.repr, kw_only=one.kw_only, **{k: v for k, v in given.items() if v is not _UNSET})

        body = {"__annotations__": {name: one.kind for name, one in self.fields.items()}, "__module__": self.cls.__module__}
        twin = type(self.cls.__name__, (), body | {name: of(one) for name, one in self.fields.items()})
        return dataclasses.dataclass(frozen=self.frozen, eq=self.eq)(twin)


class _Standard:
    """An attribute that the standard decorator would have left on a class."""

    def __init__(self, record: _Record, name: str) -> None:
        self._record, self._name = record, name

    def __get__(self, instance: object, owner: type) -> Any:
        found = getattr(self._record.standard(), self._name)
        setattr(self._record.cls, self._name, found)
        return found


def _dataclass(cls: type, frozen: bool, eq: bool) -> type:
    defined = set(vars(cls))
    record = _Record(cls, frozen, eq)
    methods = {"__init__": _init(record), "__repr__": _repr(record)} | (_comparing(record) if eq else {}) | (_frozen(record) if frozen else {})
    if clash := defined & {"__init__", "__setattr__", "__delattr__"} & methods.keys():
        raise TypeError(f"{cls.__name__} defines {min(clash)} itself: use the standard dataclass")
    if eq and "__eq__" in defined and vars(cls)["__hash__"] is None:
        defined.remove("__hash__")  # Python put it there because of `__eq__`
    for name, method in methods.items():
        if name not in defined:
            setattr(cls, name, method)
    told = {name: _Standard(record, name) for name in ("__dataclass_fields__", "__dataclass_params__")}
    matched = tuple(name for name, one in record.fields.items() if one.init and not one.kw_only)
    for name, value in {**told, "__record__": record, "__match_args__": matched}.items():
        setattr(cls, name, value)
    return cls


def _init(record: _Record) -> Callable[..., None]:
    """Fills the fields one by one, `_COMPILED_FROM - 1` times; then, and for arguments that do not fit, the compiled one takes over."""
    cls: Any = record.cls
    made, positional = 0, [name for name, one in record.fields.items() if one.init and not one.kw_only]
    whole = len(positional) == len(record.fields)
    put: Any = object.__setattr__ if record.frozen else setattr

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:
        nonlocal made
        made += 1
        if whole and not named and len(arguments) == len(positional) and made < _COMPILED_FROM:
            values: Any = zip(positional, arguments, strict=True)
        else:
            given = dict(zip(positional, arguments, strict=False)) | named
            fitting = len(given) == len(arguments) + len(named) and given.keys() <= record.taken and record.required <= given.keys()
            if made >= _COMPILED_FROM or not fitting:
                cls.__init__ = record.initialiser()
                cls.__init__(self, *arguments, **named)
                return
            values = [(name, given[name] if name in given else one.made()) for name, one in record.fields.items()]
        for name, value in values:
            put(self, name, value)
        if record.follows:
            self.__post_init__()

    return __init__


def _repr(record: _Record) -> Callable[[Any], str]:
    shown = [name for name, one in record.fields.items() if one.repr]

    def __repr__(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    return __repr__


def _comparing(record: _Record) -> dict[str, Any]:
    values: Any = attrgetter(*record.fields) if record.fields else lambda instance: ()

    def __eq__(self: Any, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": __eq__, "__hash__": __hash__ if record.frozen else None}


def _frozen(record: _Record) -> dict[str, Any]:
    cls: Any = record.cls
    names = record.fields.keys()

    def refuse(self: Any, name: str, verb: str) -> None:
        if type(self) is cls or name in names:
            from dataclasses import FrozenInstanceError

            raise FrozenInstanceError(f"cannot {verb} field {name!r}")

    def __setattr__(self: Any, name: str, value: object) -> None:
        refuse(self, name, "assign to")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:
        refuse(self, name, "delete")
        super(cls, self).__delattr__(name)

    return {"__setattr__": __setattr__, "__delattr__": __delattr__}


def values_of(instance: Any) -> dict[str, Any]:
    """The fields of a record by name, as they are: not what they hold in turn."""
    record = vars(type(instance)).get("__record__")
    return {name: getattr(instance, name) for name in (record.fields if record else instance.__dataclass_fields__)}


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, eq: bool = True) -> Any:
        """`dataclasses.dataclass`."""
        return (lambda cls: _dataclass(cls, frozen, eq)) if cls is None else _dataclass(cls, frozen, eq)

    def field(
        *, default: Any = _UNSET, default_factory: Any = _UNSET, init: bool = True, repr: bool = True, kw_only: bool = False
    ) -> Any:
        """`dataclasses.field`."""
        return _Field(default, default_factory, init, repr, kw_only)

    def replace(instance: Any, /, **changes: Any) -> Any:
        """`dataclasses.replace`, which also knows fields that a standard subclass adds."""
        record = vars(type(instance)).get("__record__")
        if record is None:
            import dataclasses

            return dataclasses.replace(instance, **changes)
        return type(instance)(**{name: getattr(instance, name) for name, one in record.fields.items() if one.init} | changes)
