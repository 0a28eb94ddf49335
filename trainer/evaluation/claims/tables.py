"""The documents' claims as tables in Markdown. Must not measure anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trainer.evaluation.claims.measure import PAPER_FIELDS, PAPER_TRANSFER, SHIPPED_FIELDS, Rows
from trainer.evaluation.diverse import PLAIN
from trainer.evaluation.exemplar import AUTOMATIC, GREY, REFERENCE, REFINED, TRANSFER
from trainer.exemplar.validation import KINDS

TRANSFER_NAMES = {
    GREY: "grey",
    AUTOMATIC: "refinement alone: automatic colour, no reference",
    "palette": "the reference's five colours as palette",
    TRANSFER: "transfer alone, shipped",
    REFINED: "transfer, then refinement, shipped network",
    REFERENCE: "**`--reference`, as shipped**",
    f"{PAPER_TRANSFER} {TRANSFER}": f"transfer alone, `{PAPER_TRANSFER}`",
    f"{PAPER_TRANSFER} {REFINED}": f"transfer, then refinement, `{PAPER_TRANSFER}`",
}
KIND_NAMES = {"own": "itself", "neighbor": "related", "unrelated": "unrelated"}
TRANSFER_MEASURES = {
    "ab_error": ("ab error", ".1f"),
    "perceptual": ("perceptual", ".3f"),
    "histogram": ("histogram", ".1f"),
}
DRAW_NAMES = {"one": "its middle alone", "draws": "five draws as they come", "set": "five chosen as a set"}
FIELD_NAMES = {PAPER_FIELDS: "VAE and mixture density network", SHIPPED_FIELDS: "shipped"}
FIELD_MEASURES = {
    "best_to_automatic": ("best of five, to automatic's", ".2f"),
    "single": ("ab error of each", ".1f"),
    "apart": ("apart", ".1f"),
    "roughness_to_automatic": ("roughness, to automatic's", ".2f"),
    "colourfulness_ratio": ("colourfulness", ".2f"),
}


def claims_tables(tables: Mapping[str, Rows]) -> str:
    """The tables as Markdown: references, a column for each measure and kind; then diverse colors."""
    columns = [(kind, measure) for kind in KINDS for measure in TRANSFER_MEASURES]
    heads = [f"{KIND_NAMES[kind]}: {TRANSFER_MEASURES[measure][0]}" for kind, measure in columns]
    lines = [_line(["reference", *heads]), _line(["---"] * (len(heads) + 1))]
    for method, name in TRANSFER_NAMES.items():
        values = [format(tables[kind][method][m], TRANSFER_MEASURES[m][1]) for kind, m in columns]
        lines.append(_line([name, *values]))
    heads = [name for name, _ in FIELD_MEASURES.values()]
    lines += ["", _line(["diverse", *heads]), _line(["---"] * (len(heads) + 1))]
    names = {GREY: "grey", AUTOMATIC: "automatic", PLAIN: "plain mixture, cell by cell, five chosen as a set"}
    names |= {
        f"{model} {how}": f"{FIELD_NAMES[model]}, {said}" for model in FIELD_NAMES for how, said in DRAW_NAMES.items()
    }
    for method, name in names.items():
        row = tables["diverse"][method]
        lines.append(
            _line([name, *(format(row[m], form) if m in row else "" for m, (_, form) in FIELD_MEASURES.items())])
        )
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
