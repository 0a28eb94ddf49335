"""Which options of a command go together: what would have no effect, or is said twice, is refused before any work.

A value that is the usual one changes nothing and is always allowed. Must not import torch or Pillow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand

from t2c_engine.cli.color_options import is_palette_file, region_words, says_colors
from t2c_engine.cli.common import reported
from t2c_engine.errors import UsageError
from t2c_engine.serving.protocol import OPTION_SOURCES

_SOURCES = ("phrase", "palette", "auto", "diverse", "reference")
_SOURCE_OF = {  # by option, as OPTION_SOURCES names it
    "phrase": "words",
    "captions": "words",
    "palette": "palette",
    "reference": "reference",
    "auto": "nothing",
    "diverse": "nothing",
    "look": "look",
    "hints": "hints",
}
_LOSSY = ("same", "jpeg", "webp")  # formats that have a quality; of "same", those of JPEG and WebP


@dataclass(frozen=True, slots=True)
class Given:
    """Options as a user has given them.

    values: every parameter by name. named: those given on the command line. flags: how each is written. changed: those
    named whose value is not the usual one.
    """

    values: Mapping[str, Any]
    named: frozenset[str]
    changed: frozenset[str]
    flags: Mapping[str, str]

    def __contains__(self, name: object) -> bool:
        return name in self.changed

    def any(self, *names: str) -> bool:
        """Whether one of these is there."""
        return any(name in self.changed for name in names)

    @property
    def regions(self) -> list[str]:
        """The colours of each region, as words."""
        return [region_words(one)[1] for one in self.values.get("region") or ()]

    @property
    def draws(self) -> bool:
        """Whether palettes are drawn for a phrase."""
        words = self.any("phrase", "captions") or self.colors_kind == "phrase"
        return words or any(not says_colors(one) for one in self.regions)

    @property
    def sources(self) -> set[str]:
        """What colors come from, as OPTION_SOURCES names it."""
        regions = {"palette" if says_colors(one) else "words" for one in self.regions}
        named = {source for option, source in _SOURCE_OF.items() if option in self or option == self.colors_kind}
        return regions | named

    @property
    def colors_kind(self) -> str:
        """The name of the source in --colors; "" without."""
        return (str(self.values.get("colors") or "").split() or [""])[0] if "captions" in self.values else ""


@dataclass(frozen=True, slots=True)
class Rule:
    """An option that has an effect under a condition only; `advice` ends the sentence that refuses it elsewhere."""

    option: str
    works: Callable[[Given], bool]
    advice: str


def _has_effect(option: str) -> Callable[[Given], bool]:
    """Whether one of the sources in use takes an option."""
    return lambda given: bool(given.sources & OPTION_SOURCES[option])


def _natural_works(given: Given) -> bool:
    return given.values["natural"] == 0 or _has_effect("natural")(given)  # with 0, nothing is held


def _is_automatic(given: Given) -> bool:
    return "auto" in given or not given.any(*_SOURCES, "hints", "region")


_DRAWN = "is of palettes drawn for a phrase; give a phrase"
_SEEDED = "is of palettes drawn for a phrase and of --diverse; give one of them"
_NATURAL = "holds skin, sky and leaves against a palette or a reference; give one of them"

COLORIZE = (
    Rule("decoding", _is_automatic, "is of automatic colours; add --auto"),
    Rule("hint_reach", _has_effect("hint_reach"), "is of hints; add --hints"),
    Rule("seed", lambda given: given.draws or "diverse" in given, _SEEDED),
    Rule("variety", lambda given: given.draws, _DRAWN),
    Rule("palette_model", lambda given: given.draws, _DRAWN),
    Rule("natural", _natural_works, _NATURAL),
)
_WITHIN = "is not of --colors, which has options of its own, as --colors 'diverse count=3 seed=7'"
BATCH = (
    Rule("count", lambda given: "colors" not in given, _WITHIN),
    Rule("seed", lambda given: "colors" not in given, _WITHIN),
    Rule("variety", lambda given: "colors" not in given, _WITHIN),
    Rule("scope", lambda given: given.any("phrase", "captions"), "is of palettes drawn for a phrase or captions"),
    Rule("seed", lambda given: given.draws or "diverse" in given, _SEEDED),
    Rule("variety", lambda given: given.draws, _DRAWN),
    Rule("palette_model", lambda given: given.draws, _DRAWN),
    Rule("natural", _natural_works, _NATURAL),
    Rule("quality", lambda given: given.values["format"] in _LOSSY, "is of JPEG and WebP; choose such a --format"),
    Rule("sheets", lambda given: given.values["format"] != "ora", "is not of layered files; choose another --format"),
    Rule("sidecar", lambda given: given.values["format"] != "ora", "is not of layered files, which hold their recipe"),
)
PALETTE = (
    *(
        Rule(one, lambda given: "from_image" not in given, "is of palettes drawn for a phrase, not of a picture's")
        for one in ("count", "seed", "variety", "model")
    ),
    Rule("overwrite", lambda given: "out" in given, "is of a file written; add -o"),
)
RULES: Mapping[str, tuple[Rule, ...]] = {"colorize": COLORIZE, "batch": BATCH, "palette": PALETTE}
_OF_JOB_FILES = ("inputs", "workers", "memory", "scheduler", "status", "retry_failed", "as_json", "progress")


def check_options(command: str | None, given: Given) -> None:
    """Refuse options that make no sense together.

    Raises:
        UsageError: an option has no effect beside the others, or two contradict; says which and what to do.
    """
    if command == "batch":
        _check_modes(given)
        if given.any("status", "choices") or _is_job_file(given):
            return
    for rule in RULES.get(command or "", ()):
        if rule.option in given and not rule.works(given):
            raise UsageError(f"{given.flags[rule.option]} {rule.advice}, or leave it out.")
    if command in ("colorize", "batch") and "count" in given.named:
        _check_count(given)


def _is_job_file(given: Given) -> bool:
    inputs = given.values.get("inputs") or []
    return len(inputs) == 1 and str(inputs[0]).lower().endswith(".toml")


def _check_modes(given: Given) -> None:
    """Job files, --status and --choices leave no room for other options."""
    flags = given.flags
    if "choices" in given:
        for name in sorted(given.changed - {"inputs", "out", "choices"}):
            raise UsageError(f"{flags[name]} has no effect beside --choices, which only copies; leave it out.")
    if "status" in given and "retry_failed" in given:
        raise UsageError("--status does nothing but count; leave out --status or --retry-failed.")
    if _is_job_file(given):
        allowed = {*_OF_JOB_FILES, *(("out",) if "status" in given else ())}
        for name in sorted(given.changed - allowed):
            raise UsageError(
                f"{flags[name]} has no effect beside a job file; write it into {given.values['inputs'][0]}."
            )


def _check_count(given: Given) -> None:
    """Refuse a number of results that is not the one there will be."""
    wanted = given.values["count"]
    for number, why in _fixed_counts(given):
        if wanted != number:
            results = "1 result" if number == 1 else f"{number} results"
            raise UsageError(f"{why} {results} a picture, and -n asks for {wanted}; leave -n out.")


def _fixed_counts(given: Given) -> Iterator[tuple[int, str]]:
    """The number of results where -n does not choose it, and the words for why."""
    values = given.values
    references = values.get("reference") or ()
    if references:
        yield len(references), "One --reference makes" if len(references) == 1 else "So many --reference make"
    elif "diverse" in given and "captions" not in values:
        yield values["diverse"], f"--diverse {values['diverse']} makes"
    elif "auto" in given:
        yield 1, "--auto makes"
    elif values.get("palette") is not None:
        if not is_palette_file(values["palette"]):
            yield 1, "The colours of --palette make"
    elif given.regions and "phrase" not in given:
        if all(says_colors(one) and not is_palette_file(one) for one in given.regions):
            yield 1, "The colours of --region make"
    elif not given.any("phrase", "captions", "diverse", "colors"):
        yield 1, "--hints make" if "hints" in given else "--look makes"


class CheckedCommand(TyperCommand):
    """A command that refuses options given twice, and those that make no sense together."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            reported(self._refuse_repeated)(ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        reported(check_options)(self.name, self._given(ctx))
        return super().invoke(ctx)

    def _refuse_repeated(self, ctx: Any, args: list[str]) -> None:
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param in order:
            single = param.param_type_name == "option" and not param.multiple
            flag = getattr(param, "is_flag", False) and not param.secondary_opts
            if single and not flag and order.count(param) > 1:
                names = "/".join((*param.opts[-1:], *param.secondary_opts))
                raise UsageError(f"{names} is given {order.count(param)} times; give it once.")

    def _given(self, ctx: Any) -> Given:
        named = [
            param for param in self.params if getattr(ctx.get_parameter_source(param.name), "name", "") == "COMMANDLINE"
        ]
        changed = [param for param in named if ctx.params[param.name] != param.get_default(ctx)]
        flags = {str(param.name): param.opts[0] for param in self.params}
        return Given(
            dict(ctx.params),
            frozenset(str(param.name) for param in named),
            frozenset(str(param.name) for param in changed),
            flags,
        )
