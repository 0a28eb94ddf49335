"""Recipes in XMP: what is written is read again, other XMP stays, damaged XMP is no harm."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2c_engine.batch.recipe import NAMESPACE, Recipe, file_digest, read_recipe, recipe_in_xmp, xmp_with_recipe

OTHER = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Caf\xc3\xa9 &amp; more</dc:title></rdf:Description>'
    b'</rdf:RDF></x:xmpmeta>   <?xpacket end="w"?>'
)
HEX = st.tuples(*[st.sampled_from(["#000000", "#a1b2c3", "#ffffff"])] * 5)
RECIPES = st.builds(
    Recipe,
    st.text("0123456789abcdef", min_size=1),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"])),
    st.just("d1"),
    index=st.integers(0, 100),
    colors=st.fixed_dictionaries({"phrase": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"]))}),
    palette=HEX,
    regions=st.tuples(HEX),
    model=st.just("m"),
)


@given(RECIPES, st.sampled_from([None, b"", OTHER]))
def test_a_recipe_is_read_as_it_was_written(recipe: Recipe, xmp: bytes | None):
    packet = xmp_with_recipe(xmp, recipe)
    assert recipe_in_xmp(packet) == recipe
    root = ElementTree.fromstring(packet)  # well-formed
    assert sum(f"{{{NAMESPACE}}}recipe" in one.attrib for one in root.iter()) == 1
    if xmp:
        assert packet.startswith(OTHER[: OTHER.index(b"</rdf:RDF>")]) and packet.endswith(b'<?xpacket end="w"?>')
    again = Recipe("other", "x", "y")
    assert recipe_in_xmp(xmp_with_recipe(packet, again)) == again  # one recipe, the last


@given(st.binary() | st.binary().map(lambda more: b't2c:recipe="' + more + b'"'))
def test_damaged_xmp_holds_no_recipe(data: bytes):
    assert recipe_in_xmp(data) is None


def test_xmp_that_cannot_take_a_recipe_stays():
    strange = OTHER.decode().encode("utf-16")
    assert xmp_with_recipe(strange, Recipe("a", "b", "c")) == strange


def test_recipes_as_elements_are_read_too():
    packet = OTHER.replace(b"<dc:title>", b"<t2c:recipe>{&quot;identity&quot;:&quot;a&quot;,&quot;input&quot;:&quot;b"
                           b"&quot;,&quot;input_digest&quot;:&quot;&quot;}</t2c:recipe><dc:title>")  # fmt: skip
    found = recipe_in_xmp(packet)
    assert found is not None and (found.identity, found.input) == ("a", "b")


@pytest.mark.parametrize(
    "content", [b"", b"II*\0", b"II*\0" + b"\xff" * 60, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1\0\4ab"]
)
def test_files_that_are_no_pictures_hold_no_recipe(content: bytes, tmp_path: Path):
    (tmp_path / "a").write_bytes(content)
    assert read_recipe(tmp_path / "a") is None and read_recipe(tmp_path / "none") is None


@pytest.mark.parametrize("size", [1000, 5_000_000])
def test_digests_tell_files_apart(size: int, tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(bytes(size))
    first = file_digest(path)
    assert first == file_digest(path) and len(first) == 32
    for changed in (bytes(size - 1), bytes(size - 1) + b"x", b"x" + bytes(size - 1)):
        path.write_bytes(changed)
        assert file_digest(path) != first
    assert file_digest(tmp_path / "none") == ""
