"""Issued proofs: in memory, or in an SQLite file that survives whatever happens to the process.

An answer is acknowledged only after `keep` has returned: with a file, after its transaction is on the disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from zkpredict.circuits.errors import UnusableInput

APPLICATION = 0x7A6B7053  # "zkpS" for PRAGMA application_id
VERSION = 1
MEMORY_PROOFS = 4096
_TABLES = """
CREATE TABLE proofs (id TEXT PRIMARY KEY, key TEXT UNIQUE, request TEXT NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE transactions (id TEXT PRIMARY KEY, answer TEXT) WITHOUT ROWID;
"""
Answer = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """`request`: the hash of what was asked; `answer`: what was said."""

    request: str
    answer: Answer


class Store(Protocol):
    def keep(self, name: str, key: str | None, kept: Kept) -> None:
        """Keeps an answer under its proof's name and, when the client gave one, its idempotency key."""

    def by_key(self, key: str) -> Kept | None: ...

    def by_name(self, name: str) -> Kept | None: ...

    def begin(self, name: str) -> Answer | None | bool:
        """Before a transaction is sent for a proof: True when none was; else its answer, or None for one whose end nobody saw."""

    def end(self, name: str, answer: Answer | None) -> None:
        """What became of it; None when nothing was sent."""

    def close(self) -> None: ...


class Memory:
    """The latest `MEMORY_PROOFS` answers, until the process ends."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, tuple[str | None, Kept]] = OrderedDict()
        self._keys: dict[str, Kept] = {}
        self._sent: OrderedDict[str, Answer | None] = OrderedDict()

    def keep(self, name: str, key: str | None, kept: Kept) -> None:
        self._names[name] = key, kept
        if key is not None:
            self._keys[key] = kept
        while len(self._names) > MEMORY_PROOFS:
            _, (old, _kept) = self._names.popitem(last=False)
            if old is not None:
                del self._keys[old]

    def by_key(self, key: str) -> Kept | None:
        return self._keys.get(key)

    def by_name(self, name: str) -> Kept | None:
        found = self._names.get(name)
        return found[1] if found else None

    def begin(self, name: str) -> Answer | None | bool:
        if name in self._sent:
            return self._sent[name]
        self._sent[name] = None
        return True

    def end(self, name: str, answer: Answer | None) -> None:
        if answer is None:
            del self._sent[name]
            return
        self._sent[name] = answer

    def close(self) -> None:
        pass


class File:
    """All answers, in an SQLite file that only its owner reads. One process at a time. Raises `UnusableInput` for a file that is
    something else, or in use."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
            self._open()
        except OSError as error:
            raise UnusableInput(f"cannot use the state file {path}: {error.strerror}") from None
        except sqlite3.OperationalError as error:
            reason = "another server uses it" if "locked" in str(error) else str(error)
            raise UnusableInput(f"cannot use the state file {path}: {reason}") from None
        except sqlite3.DatabaseError:
            raise UnusableInput(f"{path} is no state of a server: give another --state FILE") from None

    def _open(self) -> None:
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._db.execute("BEGIN IMMEDIATE")
        application, version = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        empty = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if empty and (application, version) == (0, 0):
            for statement in filter(str.strip, _TABLES.split(";")):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {VERSION}")
        elif (application, version) != (APPLICATION, VERSION):
            raise sqlite3.DatabaseError
        self._db.execute("COMMIT")

    def keep(self, name: str, key: str | None, kept: Kept) -> None:
        self._db.execute("INSERT INTO proofs VALUES (?, ?, ?, ?)", (name, key, kept.request, json.dumps(kept.answer)))

    def by_key(self, key: str) -> Kept | None:
        return self._one("key", key)

    def by_name(self, name: str) -> Kept | None:
        return self._one("id", name)

    def _one(self, column: str, value: str) -> Kept | None:
        row = self._db.execute(f"SELECT request, answer FROM proofs WHERE {column} = ?", (value,)).fetchone()
        return Kept(row[0], json.loads(row[1])) if row else None

    def begin(self, name: str) -> Answer | None | bool:
        if self._db.execute("INSERT OR IGNORE INTO transactions VALUES (?, NULL)", (name,)).rowcount:
            return True
        found = self._db.execute("SELECT answer FROM transactions WHERE id = ?", (name,)).fetchone()[0]
        return None if found is None else json.loads(found)

    def end(self, name: str, answer: Answer | None) -> None:
        if answer is None:
            self._db.execute("DELETE FROM transactions WHERE id = ?", (name,))
            return
        self._db.execute("UPDATE transactions SET answer = ? WHERE id = ?", (json.dumps(answer), name))

    def close(self) -> None:
        self._db.close()
