"""A job from its journal: pictures are claimed, sent to workers as memory allows, and recorded.

Kill it at any moment and run it again: finished results are known by the journal, or by the recipe in them where the
journal had not heard of them yet. Must not import torch, networks or the command line.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event

from t2c_engine.albums import storage
from t2c_engine.albums.job import DEEP, SUFFIXES, AlbumJob
from t2c_engine.albums.journal import Claim, Entry, Journal, Outcome
from t2c_engine.albums.storage import existing, journal_folder
from t2c_engine.albums.tree import Leaf, leaves
from t2c_engine.albums.worker import Done, Item, Loader, color_items, probe_pixels
from t2c_engine.batch.output_paths import Plan, plan_outputs, slug
from t2c_engine.batch.recipe import file_digest, source_json
from t2c_engine.batch.request import OutputOptions, PictureResult
from t2c_engine.colorization.color_source import AutomaticColors, PaletteColors, PhraseColors, ReferenceColors
from t2c_engine.colorization.reference import read_reference
from t2c_engine.errors import OutputError
from t2c_engine.files import check_folder, is_remote, real
from t2c_engine.palettes.palette import Palette

WORKER_MB = 320  # of one worker with torch and the network loaded
BYTES_PER_PIXEL, DEEP_BYTES_PER_PIXEL = 10, 30  # at the peak of coloring, with 8 bits and with 16 or float
_TOLD = (PhraseColors, PaletteColors, AutomaticColors)  # sources of which the recipe's JSON says all
UNLIMITED = 1 << 60  # bytes: a budget that nothing exceeds
_MOST_DEATHS = 12  # of workers in a row, after which it is not the pictures
_FLUSH = 0.5  # seconds between two writes of the journal
_POLL = 0.2  # seconds between two looks for a wish to stop
_TICK = 5.0  # seconds after which a waiting run gives a sign of life
_LEAST_FREE = 50 << 20  # bytes on the output's disk below which the job pauses
_AHEAD = 16  # pictures a worker that are claimed at once: fewer transactions

MakeExecutor = Callable[[], Executor]


@dataclass(frozen=True, slots=True)
class Means:
    """What a run works with.

    make_executor: gives an executor, again after a worker's death. slots: pictures in work at once. budget: bytes for
    pictures in work; at least one is always let in. load: gives workers the colorizer; None: the installed one.
    together: pictures that a worker is given at once, to be encoded in one batch.
    """

    make_executor: MakeExecutor
    slots: int
    budget: int
    load: Loader | None = None
    together: int = 1


def job_items(job: AlbumJob, palettes: tuple[Palette, ...] = ()) -> dict[Path, Item]:
    """Every picture of a job, with its colors and the names of its results, by path.

    Args:
        palettes: those that the job's `palette` names.

    Raises:
        PictureError: a reference gives no colors.
    """
    files = job.colors.files if isinstance(job.colors, ReferenceColors) else ()
    references = {real(path) for path in files}
    for path in sorted(references):
        read_reference(path)
    by_place: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in leaves(job):
        if real(leaf.path) not in references:
            by_place[leaf.place].append(leaf)
    deep = job.format in DEEP
    items = {}
    for place, members in by_place.items():
        options = OutputOptions(
            job.output / place, sheets=job.sheets, deep=deep, sidecars=job.sidecar, quality=job.quality
        )
        for leaf, plan in zip(members, plan_outputs([leaf.path for leaf in members]), strict=True):
            source = job.source(leaf.caption, leaf.scope_key(job.scope), palettes)
            name = job.name.format(
                stem=plan.stem, folder=slug(place) if place else "", phrase=slug(source.label) if source else ""
            ).strip("-_ ")
            suffix = SUFFIXES.get(job.format, plan.suffix)
            items[leaf.path] = Item(
                Plan(leaf.path, name.replace("/", "-"), suffix), source, job.models, options, leaf.remote
            )
    return items


def open_journal(job: AlbumJob, items: dict[Path, Item], retry_failed: bool = False) -> Journal:
    """The job's journal, brought up to date with the pictures there are.

    Raises:
        OutputError: the output folder or the journal cannot be used.
    """
    folder = journal_folder(job.output)
    check_folder(folder)
    journal = Journal(folder)
    entries = []
    for path, item in items.items():
        if item.remote is not None:
            entries.append(Entry(path, _key(item), item.remote.size, item.remote.changed))
            continue
        try:
            status = path.stat()
            entries.append(Entry(path, _key(item), status.st_size, status.st_mtime_ns))
        except OSError:
            entries.append(Entry(path, _key(item), 0, 0))
    journal.sync(entries, exists=lambda path: is_remote(path) or os.path.lexists(path))
    journal.forget_missing_outputs(existing(job.output) if is_remote(job.output) else os.path.lexists)
    if retry_failed:
        journal.retry_failed()
    if not journal.others():
        _remove_leftovers(folder)
    return journal


def run_job(
    items: dict[Path, Item], journal: Journal, means: Means, stop: Event | None = None
) -> Generator[PictureResult, None, None]:
    """Color what waits in the journal; one result a picture, as they are finished.

    Args:
        stop: once it is set, no picture is begun any more; those in work are finished.

    Raises:
        OutputError: the job pauses, because the disk is full or gone; everything finished is recorded.
    """
    run = _Run(items, journal, means, stop or Event())
    try:
        yield from run.results()
    finally:
        run.stop()


@dataclass(slots=True)
class _Run:
    items: dict[Path, Item]
    journal: Journal
    means: Means
    stopping: Event
    _executor: Executor | None = None
    _waiting: list[Claim] = field(default_factory=list)
    _working: dict[Future[list[Done]], tuple[list[Path], int]] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)
    _flushed: float = 0.0
    _alone: bool = False
    _deaths: int = 0  # of workers, since the last picture that was finished

    def results(self) -> Iterator[PictureResult]:
        while True:
            if self.stopping.is_set():
                self._drop_queued()
            else:
                self._claim()
                self._submit()
            if not self._working:
                self._flush()
                if not self._waiting or self.stopping.is_set():
                    return
                continue
            done, _ = wait(self._working, timeout=_POLL, return_when=FIRST_COMPLETED)
            lost: list[Path] = []
            for future in done:
                paths, _ = self._working.pop(future)
                try:
                    finished = future.result()
                except BrokenExecutor:
                    lost += paths
                    continue
                self._deaths = 0
                for one in finished:
                    self._refuse_lost_disk(one)
                    self._outcomes.append(one.outcome)
                    yield one.result
            if lost:
                yield from self._replace_dead(lost)
            if time.monotonic() - self._flushed > (_FLUSH if self._outcomes else _TICK):
                self._flush()

    def stop(self) -> None:
        """Let workers finish what they are at, and record it."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        for future, _ in list(self._working.items()):
            if future.done() and not future.cancelled() and future.exception() is None:
                outcomes = [one.outcome for one in future.result()]
                self._outcomes += [one for one in outcomes if one.error is None]  # others wait again
        self._flush()

    def _drop_queued(self) -> None:
        """Forget what no worker has begun; its claims end with the journal's."""
        for future in [one for one in self._working if one.cancel()]:
            del self._working[future]

    def _claim(self) -> None:
        most = _AHEAD * self.means.slots
        if len(self._waiting) + len(self._working) <= most // 2:
            self._flush()
            self._waiting += self.journal.claim(most - len(self._working) - len(self._waiting))

    def _submit(self) -> None:
        while self._waiting and len(self._working) < self.means.slots:
            group, need = self._next_group()
            if not group:
                return
            if self._executor is None:
                self._executor = self.means.make_executor()
            paths = [one.plan.input for one in group]
            self._working[self._executor.submit(partial(color_items, load=self.means.load), group)] = paths, need

    def _next_group(self) -> tuple[list[Item], int]:
        """What a worker is given next, and the bytes for it; nothing where it must wait for others."""
        group: list[Item] = []
        need = 0
        used = sum(size for _, size in self._working.values())
        while self._waiting and len(group) < self.means.together:
            claim = self._waiting[0]
            item = self.items.get(claim.path)
            size = 0 if self.means.budget >= UNLIMITED else _bytes_needed(claim.path, item)
            # what was there when a worker died is tried alone: the guilty one shows, and takes no other with it
            alone = claim.attempts > 1
            if (self._working or group) and (alone or self._alone or used + need + size > self.means.budget):
                break
            self._alone = alone
            del self._waiting[0]
            if item is None:  # of another job into this folder; given back when this one ends
                continue
            if claim.again and _untouched(claim.outputs):
                item = replace(item, output=replace(item.output, overwrite=True))
            group.append(item)
            need += size
        return group, need

    def _flush(self) -> None:
        self._flushed = time.monotonic()
        if self._outcomes or self._working:
            self.journal.record(self._outcomes)
            self._outcomes = []

    def _replace_dead(self, lost: list[Path]) -> Iterator[PictureResult]:
        """After a worker's death: its picture waits again, or fails where that happens too often."""
        self._flush()
        self._deaths += 1
        if self._deaths >= _MOST_DEATHS:
            self.journal.give_back(lost)
            raise OutputError(
                "The job pauses: worker processes end one after another, and no picture is finished; see 't2c doctor', "
                "free some memory, or use --workers 1; then give the same command again."
            )
        self._executor = None  # a pool with a dead worker takes no more; what else it had fails likewise, one by one
        for path in self.journal.give_back(lost):
            error = f"{path} ended its worker process each time (out of memory?); use a smaller picture or more memory."
            self._outcomes.append(Outcome(path, error=error))
            yield PictureResult(path, error=error)

    def _refuse_lost_disk(self, finished: Done) -> None:
        """Pause rather than fail every picture that is left."""
        if finished.result.error is None:
            return
        folder = self.journal.path.parent
        try:
            full = shutil.disk_usage(folder).free < _LEAST_FREE
        except OSError:
            full = True
        if full or not os.access(folder, os.W_OK):
            raise OutputError(
                f"The job pauses: {folder} is full, not writable, or gone ({finished.result.error}) "
                "Make room, then give the same command again."
            )


def _bytes_needed(path: Path, item: Item | None) -> int:
    """What a picture takes at its peak; a TIFF may be deep."""
    deep = (item is not None and item.output.deep) or path.suffix.lower() in (".tif", ".tiff")
    return probe_pixels(path) * (DEEP_BYTES_PER_PIXEL if deep else BYTES_PER_PIXEL)


def _untouched(outputs: Sequence[tuple[str, str]]) -> bool:
    """Whether results are as they were written: nobody has worked on them."""
    found = ((storage.digest(Path(path)) if is_remote(path) else file_digest(Path(path)), was) for path, was in outputs)
    return all(now in ("", was) for now, was in found)


def _key(item: Item) -> str:
    """A digest of what is wanted of a picture."""
    wanted = [
        source_json(item.source) if item.source else None,
        [list(one.hex) for one in getattr(item.source.base, "given", ())] if item.source else None,
        *([repr(item.source.base)] if item.source and not isinstance(item.source.base, _TOLD) else []),
        item.plan.stem,
        item.plan.suffix,
        str(item.output.folder),
        item.output.deep,
        *([item.output.quality] if item.output.quality else []),
        item.models.colorizer,
    ]
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:32]


def _remove_leftovers(folder: Path) -> None:
    """Delete temporary files that killed workers left; workers end within a second of their parent."""
    for path in folder.rglob(".*.part"):
        if time.time() - path.stat().st_mtime > 2:
            path.unlink(missing_ok=True)


def worker_count(wanted: int, memory: int, cores: int) -> int:
    """Worker processes: as many as cores, or as wanted, but no more than memory (MB; 0: not limited) holds."""
    most = wanted or cores
    return max(1, min(most, memory // WORKER_MB) if memory else most)


def picture_budget(memory: int, workers: int) -> int:
    """Bytes for pictures in work, from MB for all together."""
    return max(0, memory - workers * WORKER_MB) << 20
