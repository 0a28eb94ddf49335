"""The trainer's command line, `t2c-train`: arguments in, files and figures out; the work is done elsewhere.

Must not import torch at module level, so that --help is quick.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from t2c_engine.cli.common import reported
from t2c_engine.cli.terminal import output
from t2c_engine.errors import UsageError
from t2c_engine.files import make_folder
from trainer.common.arguments import (
    CONFIGS,
    Device,
    FiguresFile,
    Init,
    Into,
    Out,
    Steps,
    output_file,
    output_folder,
    read_figures,
)
from trainer.diverse.cli import diverse
from trainer.exemplar.cli import exemplar, export_exemplar_command
from trainer.looks.cli import look, stargan_paper, tonings
from trainer.photographs.cli import photographs
from trainer.study.cli import study_app, study_result

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Train, export and evaluate the networks of Text2Colors.",
)


@app.callback()
def options(verbose: Annotated[bool, typer.Option("--verbose", help="Say more.")] = False) -> None:
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="%(message)s", stream=sys.stderr)


@app.command()
@reported
def palettes(
    data: Annotated[Path, typer.Argument(help="The data folder, with text/ and words/.")],
    out: Out = Path("runs/palettes"),
    config: Annotated[Path, typer.Option("--config", help="Settings (TOML).")] = CONFIGS / "palette-set.toml",
    init: Init = None,
) -> None:
    """Train text-to-palette (configs/palette-set.toml, or configs/tpn-paper*.toml) and export it into the run."""
    from trainer.train_palettes import train_palette_network

    card = train_palette_network(config, data, out, init=init)
    logging.info("Exported %s", out / card.file)


@app.command()
@reported
def style(
    palettes: Annotated[Path, typer.Argument(help="A folder of palette files, tables, captioned pictures; or a file.")],
    name: Annotated[str, typer.Option("--name", help="What the style is to be called.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            callback=output_folder,
            help="Folder for the check and the report; style-NAME if not given.",
        ),
    ] = None,
    correct: Annotated[bool, typer.Option("--correct", help="Take the offered corrections of texts.")] = False,
    check_only: Annotated[bool, typer.Option("--check-only", help="Check the palettes and train nothing.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder with PAT: measure on its test texts.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace your style of this name.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print progress and result as JSON, one object a line.")
    ] = False,
    config: Annotated[Path, typer.Option("--config", help="Settings (TOML).")] = CONFIGS / "style.toml",
) -> None:
    """Teach a style: a small adapter of the palette model, from palettes of your own. A run that is there goes on."""
    from trainer.styles.cli import check_style, run_style
    from trainer.styles.teach import StyleRequest

    request = StyleRequest(palettes, name, out or Path(f"style-{name}"), correct, data, overwrite, config)
    if check_only:
        check_style(request)
    else:
        run_style(request, as_json)


@app.command()
@reported
def colorizer(
    pictures: Annotated[list[Path], typer.Argument(help="Zip shards or folders of colour pictures.")],
    out: Out = Path("runs/colorizer"),
    config: Annotated[Path, typer.Option("--config", help="Settings (TOML).")] = CONFIGS / "colorizer.toml",
    steps: Steps = None,
    cooldown: Annotated[int | None, typer.Option("--cooldown", help="Last steps, of falling rate.")] = None,
    init: Init = None,
    encoder: Annotated[
        Path | None, typer.Option("--encoder", help="EfficientNet-Lite0's ImageNet weights (.pth), without --init.")
    ] = None,
    perceptual: Annotated[
        Path | None, typer.Option("--perceptual", help="SqueezeNet's weights (.npz), for the perceptual loss.")
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", help="all; or palette: the decoder alone, on the encoder of --init.")
    ] = None,
    validation: Annotated[
        list[Path] | None, typer.Option("--validation", help="Shards that steer training; else a part is held out.")
    ] = None,
    device: Device = "auto",
    cache: Annotated[Path, typer.Option("--cache", help="Where decoded pictures are kept.")] = Path("cache"),
) -> None:
    """Train the colouriser (configs/colorizer.toml), or a paper's (configs/pcn-paper.toml, classifier-paper*.toml)."""
    from t2c_engine.devices import pick_device
    from trainer.papers.train_colorizer import read_paper_config, train_paper_colors

    chosen = str(pick_device(device))
    paper = read_paper_config(config, steps=steps)
    if paper is not None:
        path = train_paper_colors(paper, pictures, out, cache, device=chosen)
    else:
        from trainer.colorizer.config import read_config
        from trainer.colorizer.train import train_colorizer

        settings = read_config(config, steps=steps, cooldown=cooldown, stage=stage)
        path = train_colorizer(
            settings,
            pictures,
            out,
            cache,
            device=chosen,
            init=init,
            encoder=encoder,
            perceptual=perceptual,
            validation=validation or (),
        )
    logging.info("Trained: %s", path)


@app.command("export-palettes")
@reported
def export_palettes(
    run: Annotated[Path, typer.Argument(help="The folder of a palette run that came to its end.")],
    into: Into = None,
    figures: FiguresFile = None,
) -> None:
    """Export weights (safetensors, fp16) and model card of a finished palette run."""
    from t2c_engine.models import user_folder
    from trainer.palettes.run import publish

    card = publish(run, into or user_folder(), read_figures(figures) if figures else {})
    if card is None:
        raise UsageError(f"{run} is no finished palette run; 'export-colorizer' exports runs of the colouriser.")
    logging.info("Exported %s, %.1f MB", card.folder / card.file, card.size / 1e6)


@app.command("export-colorizer")
@reported
def export_colorizer_command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    name: Annotated[str, typer.Option("--name", help="What the colouriser is to be called.")],
    into: Into = None,
    version: Annotated[str, typer.Option("--version", help="The model's version.")] = "1",
    figures: FiguresFile = None,
    command: Annotated[str, typer.Option("--command", help="How it was made, for the card.")] = "t2c-train colorizer",
    inference: Annotated[
        Path | None, typer.Option("--inference", help="How it is used (TOML); configs/inference.toml if not given.")
    ] = None,
) -> None:
    """Export the averaged weights (safetensors, fp16) and the model card of a colouriser's run."""
    from t2c_engine.models import user_folder
    from trainer.colorizer.config import read_inference
    from trainer.colorizer.export import export_colorizer

    known: dict[str, Any] = (read_figures(figures) if figures else {}).get("colors", {}).get("palette", {})
    use = read_inference(inference or CONFIGS / "inference.toml")
    card = export_colorizer(run, into or user_folder(), name, version, command, known, use)
    logging.info("Exported %s, %.1f MB", card.folder / card.file, card.size / 1e6)


@app.command()
@reported
def evaluate(
    data: Annotated[Path, typer.Argument(help="The data folder, with text/, images/eval/ and nets/.")],
    only: Annotated[
        str | None, typer.Option("--only", help="palettes, colors, diverse, exemplar, looks or speed.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=2, help="So many texts and pictures, for a look.")] = None,
    palette_model: Annotated[str | None, typer.Option("--palette-model", help="Which palette model.")] = None,
    model: Annotated[str | None, typer.Option("--colorizer", help="Which colouriser.")] = None,
    device: Device = "cpu",
    judged: Annotated[
        bool, typer.Option("--judge/--no-judge", help="How often EfficientNet-Lite2 knows the pictures.")
    ] = True,
    diverse_models: Annotated[
        list[str] | None, typer.Option("--diverse-model", help="Which model of diverse colours; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", callback=output_file, help="Also write the JSON here.")
    ] = None,
) -> None:
    """Measure everything on the evaluation data, with fixed seeds."""
    from trainer.evaluation.evaluate import evaluate_all, figures_text

    _refuse_unknown("figures", only, ("palettes", "colors", "diverse", "exemplar", "looks", "speed"))
    figures = evaluate_all(
        data,
        only=only,
        limit=limit,
        palette_model=palette_model,
        colorizer=model,
        device=device,
        judged=judged,
        diverse_models=diverse_models or (),
    )
    text = json.dumps(figures, indent=2)
    if out is not None:
        from t2c_engine.files import write_file

        write_file(out, (text + "\n").encode(), overwrite=True)
    output().print(text if as_json else figures_text(figures), markup=False, highlight=False, soft_wrap=True)


@app.command()
@reported
def claims(
    data: Annotated[Path, typer.Argument(help="The data folder, with images/train/val.zip and nets/.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File for the tables, Markdown.")] = Path("claims.md"),
    model: Annotated[str | None, typer.Option("--colorizer", help="Which colouriser.")] = None,
    cache: Annotated[Path, typer.Option("--cache", help="Where decoded pictures are kept.")] = Path("cache"),
) -> None:
    """Measure what documents 001 and 003 claim, on validation pictures: the shipped networks beside exemplar-xu and
    diverse-paper, which must be installed (T2C_MODELS)."""
    from t2c_engine.colorization.colorizer import Colorizer
    from t2c_engine.files import write_file
    from trainer.common.perceptual import PerceptualDistance
    from trainer.evaluation.claims.measure import measure_claims
    from trainer.evaluation.claims.tables import claims_tables

    perceptual = PerceptualDistance(data / "nets" / "squeezenet_v1.0.npz")
    shards = [data / "images" / "train" / "val.zip"]
    tables = claims_tables(measure_claims(Colorizer.load(model, "cpu"), shards, cache, perceptual))
    write_file(out, tables.encode(), overwrite=True)
    output().print(tables, markup=False, highlight=False, soft_wrap=True)


@app.command()
@reported
def report(
    out: Annotated[Path, typer.Argument(callback=output_folder, help="Folder for the pictures, e.g. docs/results.")],
    pictures: Annotated[Path | None, typer.Option("--pictures", help="Folder; scikit-image's if not given.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many pictures of the folder.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder, for true palettes beside ours.")] = None,
    only: Annotated[
        str | None, typer.Option("--only", help="palettes, photographs, references, diverse or looks.")
    ] = None,
    old_photographs: Annotated[
        Path | None,
        typer.Option(
            "--old-photographs", help="The data folder, for its old photographs of people alone; not to be given away."
        ),
    ] = None,
) -> None:
    """Draw palettes for the paper's phrases, photographs in several phrases, in one another's colours, diverse
    colourings, looks."""
    _refuse_unknown("reports", only, ("palettes", "photographs", "references", "diverse", "looks"))
    if old_photographs is not None and (pictures is not None or only is not None):
        raise UsageError("--old-photographs makes sheets of its own; leave --pictures and --only out.")
    make_folder(out)
    if old_photographs is not None:
        from trainer.evaluation.report_photographs import old_photograph_sheets

        drawn = old_photograph_sheets(old_photographs / "images" / "eval", out, limit)
    else:
        drawn = _drawn_sheets(out, pictures, limit, data, only)
    for path in drawn:
        logging.info("%s", path)


def _drawn_sheets(
    out: Path, pictures: Path | None, limit: int | None, data: Path | None, only: str | None
) -> Iterator[Path]:
    """Draw what `report` is asked for, one file after the other; looks only where they are named."""
    from trainer.evaluation.report_photographs import bundled_photographs, diverse_sheet, photograph_sheets

    bundled = bundled_photographs()
    paths = bundled if pictures is None else sorted(path for path in pictures.iterdir() if path.is_file())
    if only == "looks":
        from t2c_engine.colorization.colorizer import Colorizer
        from trainer.evaluation.looks.sheets import look_sheet

        yield look_sheet(paths[:limit], out / "looks.jpg", Colorizer.load(device="auto"))
    if pictures is None and only in (None, "references"):
        from trainer.evaluation.report_references import reference_sheet

        yield reference_sheet(out)
    if pictures is None and only in (None, "diverse"):
        yield diverse_sheet(out / "diverse.jpg", bundled)
    if pictures is None and only in (None, "palettes"):
        from t2c_engine.palettes.sampler import PaletteSampler
        from trainer.evaluation.report_palettes import palette_page
        from trainer.palettes.data import read_texts

        texts = read_texts(data, pat_only=True) if data else ()
        yield palette_page(out / "palettes.png", PaletteSampler.load(), texts)
    if only in (None, "photographs"):
        yield from photograph_sheets(paths[:limit], out)


def _refuse_unknown(what: str, only: str | None, known: Sequence[str]) -> None:
    """Raises UsageError where `only` is none of the parts that a command knows."""
    if only is not None and only not in known:
        choices = f"{', '.join(known[:-1])} or {known[-1]}"
        raise UsageError(f"--only takes no '{only}'; the {what} are {choices}.")


@app.command()
@reported
def compare(
    data: Annotated[Path, typer.Argument(help="The data folder, with text/.")],
    runs: Annotated[list[Path], typer.Argument(help="Folders of palette runs that came to their end.")],
    out: Annotated[Path, typer.Option("-o", "--out", callback=output_file, help="The picture to write.")] = Path(
        "ab.png"
    ),
    limit: Annotated[int | None, typer.Option("--limit", min=2, help="So many texts, for a look.")] = None,
) -> None:
    """Palette models side by side: figures as JSON, and their colours plotted in the ab plane."""
    from trainer.evaluation.compare_palettes import compare_models

    figures = compare_models(runs, data, out, limit)
    output().print(json.dumps(figures, indent=2), markup=False, highlight=False, soft_wrap=True)


@app.command("compare-colors")
@reported
def compare_colors_command(
    data: Annotated[Path, typer.Argument(help="The data folder, with images/eval/.")],
    runs: Annotated[list[Path] | None, typer.Argument(help="Folders of runs of the papers' colour networks.")] = None,
    sheets: Annotated[
        Path | None, typer.Option("--sheets", callback=output_folder, help="Also draw sheets of the pictures here.")
    ] = None,
    model: Annotated[str | None, typer.Option("--colorizer", help="Which colouriser beside them.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=2, help="So many pictures a group, for a look.")] = None,
) -> None:
    """The papers' colour networks beside the shipped one: objects, birds and patterns; figures as JSON."""
    from t2c_engine.colorization.colorizer import Colorizer
    from trainer.evaluation.compare_colors import compare_colors

    figures = compare_colors(Colorizer.load(model, "cpu"), runs or [], data / "images" / "eval", sheets, limit)
    output().print(json.dumps(figures, indent=2), markup=False, highlight=False, soft_wrap=True)


app.command()(diverse)
app.command()(exemplar)
app.command("export-exemplar")(export_exemplar_command)
app.command()(look)
app.command()(tonings)
app.command("stargan-paper")(stargan_paper)
app.command()(photographs)
app.add_typer(study_app, name="study")
app.command("study-result")(study_result)


def main() -> None:
    app()
