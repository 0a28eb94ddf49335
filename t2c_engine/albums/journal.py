"""The journal of an album job: one SQLite file in the output folder that says what became of every picture.

Several processes may share it: each claims pictures, and what a dead one had claimed is free again. Only the process
that runs a job writes it, never its workers. Must not import anything of the engine but errors and files.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2c_engine.errors import OutputError
from t2c_engine.files import reason

NAME = "t2c-journal.sqlite"
MAX_ATTEMPTS = 3  # of a picture whose worker dies
_SILENCE = 300.0  # seconds without a sign of life after which a process on another machine counts as dead
_BUSY = 30.0  # seconds to wait for another process's transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS owners (name TEXT PRIMARY KEY, host TEXT, pid INTEGER, seen REAL);
CREATE TABLE IF NOT EXISTS pictures (
    path BLOB PRIMARY KEY, key TEXT NOT NULL, size INTEGER, changed INTEGER, digest TEXT DEFAULT '',
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    again INTEGER DEFAULT 0, attempts INTEGER DEFAULT 0, owner TEXT, finished REAL, seconds REAL, error TEXT,
    outputs TEXT DEFAULT '[]', gone INTEGER DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS states ON pictures (state);
CREATE TEMP TABLE present (path BLOB PRIMARY KEY) WITHOUT ROWID;  -- this connection's: what the last sync was given
"""

# of a whole process; that it ended is not the picture's fault
_GIVE_BACK = "UPDATE pictures SET state='waiting', owner=NULL, attempts=attempts-1 WHERE owner=? AND state='running'"


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture as the tree shows it now. key: a digest of what is wanted of it. changed: mtime in ns."""

    path: Path
    key: str
    size: int
    changed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a picture. digest: of the input. outputs: files and their digests."""

    path: Path
    digest: str = ""
    seconds: float = 0.0
    error: str | None = None
    outputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A picture to color.

    again: it was done, and has changed since; outputs: the results of then. attempts: with this one.
    """

    path: Path
    again: bool = False
    outputs: tuple[tuple[str, str], ...] = ()
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the journal."""

    path: Path
    state: str
    error: str | None
    seconds: float | None
    outputs: tuple[tuple[str, str], ...]


class Journal:
    """The journal of the job that writes into `folder`. For one thread.

    Raises:
        OutputError: the file cannot be made, read or written, or is none of ours.
    """

    def __init__(self, folder: Path, create: bool = True) -> None:
        self.path = folder / NAME
        self.owner = uuid.uuid4().hex
        if not create and not self.path.exists():
            raise OutputError(f"{folder} holds no journal of a job; name the job's output folder.")
        with self._sentences():
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None)
            self._db.executescript(_SCHEMA)
            if not any(row[1] == "gone" for row in self._db.execute("PRAGMA table_info(pictures)")):
                # a journal of an earlier version
                self._db.execute("ALTER TABLE pictures ADD COLUMN gone INTEGER DEFAULT 0")
        self._synced = False

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what this process has claimed and not finished."""
        with self._sentences(), self._transaction():
            self._db.execute(_GIVE_BACK, (self.owner,))
            self._db.execute("DELETE FROM owners WHERE name=?", (self.owner,))
        self._db.close()

    def sync(self, entries: Iterable[Entry], exists: Callable[[Path], bool] = os.path.lexists) -> None:
        """Take in the pictures there are now.

        New ones, changed ones and those wanted otherwise wait; finished ones stay; unfinished ones that are there no
        more are forgotten, and finished ones of which the input does not exist are no more counted. From now on
        `counts` counts these entries alone.
        """
        rows = [(os.fsencode(one.path), one.key, one.size, one.changed) for one in entries]
        there = {row[0] for row in rows}
        with self._sentences(), self._transaction():
            self._free_the_dead()
            self._db.execute("DELETE FROM present")
            self._db.executemany("INSERT OR IGNORE INTO present VALUES (?)", [row[:1] for row in rows])
            unfinished = self._db.execute("SELECT path FROM pictures WHERE state IN ('waiting', 'failed')").fetchall()
            self._db.executemany(
                "DELETE FROM pictures WHERE path=?", [row for row in unfinished if row[0] not in there]
            )
            self._db.executemany(
                "INSERT INTO pictures (path, key, size, changed) VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET "
                # `again`: the input changed, so that results of its old content may be replaced
                "again=(key=excluded.key AND state='done' AND (size, changed) != (excluded.size, excluded.changed)), "
                "state='waiting', attempts=0, error=NULL, "
                "key=excluded.key, size=excluded.size, changed=excluded.changed WHERE state != 'running' "
                "AND (key, size, changed) != (excluded.key, excluded.size, excluded.changed)",
                rows,
            )
            finished = self._db.execute("SELECT path FROM pictures WHERE state='done'").fetchall()
            gone = [(int(one not in there and not exists(Path(os.fsdecode(one)))), one) for (one,) in finished]
            self._db.executemany("UPDATE pictures SET gone=? WHERE path=?", gone)
        self._synced = True

    def forget_missing_outputs(self, exists: Callable[[str], bool] = os.path.lexists) -> int:
        """Let pictures wait again whose results have been taken away; how many."""
        lost = [
            (os.fsencode(one.path),) for one in self.records("done") if not all(exists(path) for path, _ in one.outputs)
        ]
        with self._sentences(), self._transaction():
            self._db.executemany("UPDATE pictures SET state='waiting' WHERE path=? AND state='done'", lost)
        return len(lost)

    def retry_failed(self) -> int:
        """Let failed pictures wait again; how many."""
        with self._sentences():
            return self._db.execute("UPDATE pictures SET state='waiting', attempts=0 WHERE state='failed'").rowcount

    def claim(self, number: int) -> list[Claim]:
        """Up to `number` waiting pictures, now this process's own."""
        with self._sentences(), self._transaction():
            self._alive()
            found = self._db.execute(
                "UPDATE pictures SET state='running', owner=?, attempts=attempts+1 WHERE path IN "
                "(SELECT path FROM pictures WHERE state='waiting' ORDER BY path LIMIT ?) "
                "RETURNING path, again, outputs, attempts",
                (self.owner, number),
            ).fetchall()
        return [
            Claim(Path(os.fsdecode(path)), bool(again), _pairs(outputs), attempts)
            for path, again, outputs, attempts in sorted(found)
        ]

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Write down what has become of pictures, in one transaction."""
        rows = [
            (
                "failed" if one.error else "done",
                one.digest,
                time.time(),
                one.seconds,
                one.error,
                json.dumps(one.outputs),
                os.fsencode(one.path),
            )
            for one in outcomes
        ]
        with self._sentences(), self._transaction():
            self._alive()
            self._db.executemany(
                "UPDATE pictures SET state=?, digest=?, finished=?, seconds=?, error=?, outputs=?, owner=NULL, again=0 "
                "WHERE path=?",
                rows,
            )

    def give_back(self, paths: Iterable[Path]) -> list[Path]:
        """Let pictures wait again whose worker died; those that it happens to too often, returned, are left running."""
        names = [os.fsencode(path) for path in paths]
        worn = []
        with self._sentences(), self._transaction():
            for name in names:
                (attempts,) = self._db.execute("SELECT attempts FROM pictures WHERE path=?", (name,)).fetchone()
                if attempts >= MAX_ATTEMPTS:
                    worn.append(Path(os.fsdecode(name)))
                else:
                    self._db.execute("UPDATE pictures SET state='waiting', owner=NULL WHERE path=?", (name,))
        return worn

    def counts(self) -> dict[str, int]:
        """Pictures by state: those of the last `sync` here; before any, all but those whose input is gone."""
        which = "path IN (SELECT path FROM present)" if self._synced else "NOT gone"
        with self._sentences():
            rows = self._db.execute(f"SELECT state, count(*) FROM pictures WHERE {which} GROUP BY state").fetchall()
        found = dict(rows)
        return {state: found.get(state, 0) for state in ("waiting", "running", "done", "failed")}

    def records(self, state: str | None = None) -> Iterator[Record]:
        """Every picture, or those of one state, by path."""
        with self._sentences():
            rows = self._db.execute(
                "SELECT path, state, error, seconds, outputs FROM pictures WHERE state=? OR ? IS NULL ORDER BY path",
                (state, state),
            ).fetchall()
        for path, now, error, seconds, outputs in rows:
            yield Record(Path(os.fsdecode(path)), now, error, seconds, _pairs(outputs))

    def others(self) -> int:
        """How many other living processes share the job."""
        with self._sentences(), self._transaction():
            self._free_the_dead()
            (number,) = self._db.execute("SELECT count(*) FROM owners WHERE name != ?", (self.owner,)).fetchone()
        return number

    def _alive(self) -> None:
        self._db.execute(
            "INSERT INTO owners VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET seen=excluded.seen",
            (self.owner, socket.gethostname(), os.getpid(), time.time()),
        )

    def _free_the_dead(self) -> None:
        for name, host, pid, seen in self._db.execute("SELECT name, host, pid, seen FROM owners").fetchall():
            if name == self.owner or not _is_dead(host, pid, seen):
                continue
            self._db.execute(_GIVE_BACK, (name,))
            self._db.execute("DELETE FROM owners WHERE name=?", (name,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutputError(
                f"The journal {self.path} cannot be used ({reason(error)}); see whether the disk is there and has room."
            ) from error


def _is_dead(host: str, pid: int, seen: float) -> bool:
    if time.time() - seen > _SILENCE:
        return True
    if host != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except OSError:  # another user's, or no /proc
        return False


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    values: Any = json.loads(text)
    return tuple((str(path), str(digest)) for path, digest in values)
