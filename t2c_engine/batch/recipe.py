"""What made a result, written into the file itself as XMP: the colors, the input, the models.

By it a result is known as one, told from a result of other colors or of another input, and made again. Must not import
torch, networks or the command line.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.sax.saxutils import quoteattr

from t2c_engine import __version__
from t2c_engine.batch.used_models import UsedModel
from t2c_engine.colorization.color_source import ColorSource, ResultColors, Variation
from t2c_engine.palettes.palette import Palette
from t2c_engine.palettes.style import styles_text
from t2c_engine.pictures.formats import quiet_libraries

if TYPE_CHECKING:
    from t2c_engine.pictures.picture import Picture

quiet_libraries()

LAYERED_SUFFIX, LAYERED_ENTRY = ".ora", "text2colors.json"  # OpenRaster files, and where in them the recipe is
NAMESPACE = "urn:text2colors:recipe:1#"
NOTE = "The colours are inferred; they are no record of the subject."
# IPTC NewsCodes, digital source type: real media changed by a trained model
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_XMP_TAG = 700
# what Pillow and tifffile raise on a file that is no picture (UnidentifiedImageError, TiffFileError) or a damaged one
UNREADABLE = (OSError, ValueError, SyntaxError, LookupError, TypeError, AttributeError, OverflowError,
              struct.error, zipfile.BadZipFile)  # fmt: skip
_BLOCKS, _BLOCK = 64, 1 << 16  # of a large file, so many blocks spread over it are hashed
_NEWER = ("input_size", "input_paths", "models")  # fields that older recipes lack
_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
_END = re.compile(rb"</rdf:RDF\s*>")
_OURS = re.compile(rb'\s+t2c:\w+\s*=\s*(?:"[^"]*"|\'[^\']*\')|<t2c:\w+>[^<]*</t2c:\w+>')
_RECIPE = re.compile(rb't2c:recipe\s*=\s*(?:"([^"]*)"|\'([^\']*)\')|<t2c:recipe>([^<]*)</t2c:recipe>')


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a result was made.

    colors: the source as JSON, with the digests of its hints and masks. palette: hex of the result; regions: hex of
    each. identity: equal where input aside everything was the same. input: name; input_digest: of its bytes, or "".
    input_size: bytes; input_paths: where it was, `origins.recorded_paths`. index: of the result, from 1; 0 a contact
    sheet, whose identity is those of its results joined by commas. quality: of JPEG and WebP, where one was asked for.
    model: name of the colouring model; models: every model used, with its version and digest; none in old recipes.
    """

    identity: str
    input: str
    input_digest: str
    index: int = 1
    colors: Mapping[str, Any] = field(default_factory=dict)
    palette: tuple[str, ...] = ()
    regions: tuple[tuple[str, ...], ...] = ()
    model: str = ""
    page: int | None = None
    version: str = __version__
    quality: int | None = None
    input_size: int | None = None
    input_paths: tuple[str, ...] = ()
    models: tuple[UsedModel, ...] = ()

    def same_result(self, other: Recipe) -> bool:
        """Whether both made the same of the same input; an unknown digest matches any."""
        return self.identity == other.identity and self.same_input(other)

    def same_input(self, other: Recipe) -> bool:
        """Whether both are of one input, as far as is known."""
        return self.input_digest == other.input_digest or not (self.input_digest and other.input_digest)

    def as_json(self) -> dict[str, Any]:
        """Every field, for a file; as older versions wrote it where the newer ones are not known."""
        values = {name: getattr(self, name) for name in self.__slots__} | {
            "models": [one.as_json() for one in self.models]
        }
        return {name: value for name, value in values.items() if value or name not in _NEWER}

    @classmethod
    def from_json(cls, values: Any) -> Recipe:
        """The recipe of `as_json`'s values.

        Raises:
            ValueError: they are no recipe.
        """
        try:
            known = {name: values[name] for name in cls.__slots__ if name in values}
            known["palette"] = tuple(str(one) for one in known.get("palette", ()))
            known["regions"] = tuple(tuple(str(each) for each in one) for one in known.get("regions", ()))
            known["colors"] = dict(known.get("colors", {}))
            known["input_paths"] = tuple(str(one) for one in known.get("input_paths", ()))
            known["models"] = tuple(UsedModel.from_json(one) for one in known.get("models", ()))
            return cls(**known)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no recipe: {error}") from error


def recipes_of(
    source: ColorSource,
    results: tuple[ResultColors, ...],
    input_path: Path,
    digest: str,
    page: int | None = None,
    quality: int | None = None,
) -> tuple[Recipe, ...]:
    """A recipe for each result of one input, but for what is known only when it is made (palette of automatic, model).

    Args:
        digest: of the input, `file_digest`. page: of the input; None: its first picture. quality: as in `Recipe`.
    """
    colors = source_json(source)
    recipes = []
    for index, one in enumerate(results, start=1):
        palette = tuple(one.base.hex) if isinstance(one.base, Palette) else ()
        own = dict(colors)
        if one.reference is not None:
            own["reference"] = _named(one.reference)
        if isinstance(one.base, Variation):
            own["variation"] = one.base.as_json()
        regions = tuple(tuple(inner.hex) for inner in one.regions)
        changing = {key: value for key, value in own.items() if key not in ("count", "diverse", "seed", "variety")}
        made_of = [changing, palette, regions, page, *([quality] if quality else [])]
        identity = _digest(json.dumps(made_of, sort_keys=True).encode())
        recipe = Recipe(identity, input_path.name, digest, index, own, palette, regions, page=page, quality=quality)
        recipes.append(recipe)
    return tuple(recipes)


def source_json(source: ColorSource) -> dict[str, Any]:
    """A color source as JSON; files of hints and masks by name and digest."""
    values: dict[str, Any] = {"strength": source.strength, "natural": source.natural}
    if source.look is not None:
        values["look"] = [source.look.name, source.look.strength]
    if source.color_styles:
        values["color_style"] = styles_text(source.color_styles)
    if source.base is not None:
        values |= source.base.as_json()
    if source.hints is not None:
        values |= {"hints": _named(source.hints), "hint_reach": source.hint_reach}
    if source.regions:
        values["regions"] = [{"mask": _named(one.mask), **one.colors.as_json()} for one in source.regions]
    return values


def _named(path: Path) -> list[Any]:
    """A file as recipes name it: path, digest and size; of an absolute path the name alone, as of the input's."""
    digest = file_digest(path)
    return [path.name if path.is_absolute() else path.as_posix(), digest, path.stat().st_size if digest else None]


def sheet_recipe(recipes: tuple[Recipe, ...]) -> Recipe:
    """The recipe of the contact sheet of these results."""
    identity = ",".join(one.identity for one in recipes)
    return replace(recipes[0], identity=identity, index=0, palette=(), regions=())


def file_digest(path: Path) -> str:
    """A digest of a file: of the whole up to 4 MiB, else of its size and 64 blocks spread over it; "" if unreadable."""
    digest = hashlib.sha256()
    if not os.path.isfile(path):  # a named pipe would be waited for
        return ""
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            digest.update(str(size).encode())
            if size <= _BLOCKS * _BLOCK:
                digest.update(stream.read())
            else:
                for block in range(_BLOCKS):
                    stream.seek((size - _BLOCK) * block // (_BLOCKS - 1))
                    digest.update(stream.read(_BLOCK))
    except OSError:
        return ""
    return digest.hexdigest()[:32]


def xmp_with_recipe(xmp: bytes | None, recipe: Recipe) -> bytes:
    """XMP that holds a recipe too; what else is in it stays byte for byte. Unusual XMP is returned unchanged."""
    packet = _OURS.sub(b"", xmp) if xmp and _OURS.search(xmp) else xmp or _EMPTY
    end = _END.search(packet)
    if end is None:
        return packet
    phrase = str(recipe.colors.get("phrase", ""))
    fields = {
        "t2c:note": NOTE,
        "t2c:palette": " ".join(recipe.palette),
        "t2c:model": recipe.model,
        "t2c:version": recipe.version,
        "t2c:recipe": json.dumps(recipe.as_json(), ensure_ascii=False, separators=(",", ":")),
    }
    if phrase:
        fields["t2c:phrase"] = phrase
    spaces = f'xmlns:t2c="{NAMESPACE}"'
    if b"DigitalSourceType" not in packet:
        spaces += f' xmlns:Iptc4xmpExt="{_IPTC_EXT}"'
        fields["Iptc4xmpExt:DigitalSourceType"] = SOURCE_TYPE
    attributes = " ".join(f"{name}={quoteattr(_xml_text(value))}" for name, value in fields.items())
    description = f'<rdf:Description rdf:about="" {spaces} {attributes}/>'
    return packet[: end.start()] + description.encode() + packet[end.start() :]


def picture_with_recipe(picture: Picture, recipe: Recipe) -> Picture:
    """The picture with a recipe in its XMP."""
    return replace(picture, metadata=replace(picture.metadata, xmp=xmp_with_recipe(picture.metadata.xmp, recipe)))


def recipe_in_xmp(xmp: bytes | str | None) -> Recipe | None:
    """The recipe that XMP holds, if it holds one that can be read."""
    if not xmp:
        return None
    found = _RECIPE.search(xmp.encode() if isinstance(xmp, str) else xmp)
    if found is None:
        return None
    text = next(part for part in found.groups() if part is not None)
    try:
        return Recipe.from_json(json.loads(unescape(text.decode("utf-8"))))
    except ValueError:  # JSON and UTF-8 errors too
        return None


def read_recipe(path: Path) -> Recipe | None:
    """The recipe in a picture file; only its head is read. None where there is no file, no picture or no recipe."""
    from PIL import Image

    if not os.path.isfile(path):
        return None
    try:
        if path.suffix.lower() == LAYERED_SUFFIX:
            with zipfile.ZipFile(path) as archive:
                return Recipe.from_json(json.loads(archive.read(LAYERED_ENTRY)))
        return recipe_in_xmp(read_xmp(path))
    except (*UNREADABLE, Image.DecompressionBombError):
        return None


def read_xmp(path: Path) -> bytes | str | None:
    """The XMP of a picture file. Raises what `xmp_of` raises."""
    with path.open("rb") as stream:
        return xmp_of(stream)


def xmp_of(stream: BinaryIO) -> bytes | str | None:
    """The XMP of a picture file open for reading, of which only the head is read.

    Raises:
        any of UNREADABLE, or Pillow's DecompressionBombError: there is no file, or no picture.
    """
    from PIL import Image

    with warnings.catch_warnings(action="ignore"):
        start = stream.read(4)
        stream.seek(0)
        if start in _TIFF_STARTS:
            import tifffile

            with tifffile.TiffFile(stream) as tiff:
                page: Any = tiff.pages[0]
                return page.tags[_XMP_TAG].value if _XMP_TAG in page.tags else None
        with Image.open(stream, formats=("JPEG", "PNG", "WEBP")) as image:
            return image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")


def palette_in(recipe: Recipe | None) -> Palette | None:
    """The palette of a result."""
    return Palette.from_hex(",".join(recipe.palette)) if recipe and recipe.palette else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _xml_text(text: str) -> str:
    """Text without what XML cannot hold."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
