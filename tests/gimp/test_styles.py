"""Styles in GIMP: one is taught from GIMP's palettes, and a style of a script's reaches the engine. Real GIMP."""

from __future__ import annotations

from host import Host

TEACH = """
for number in range(12):
    palette = Gimp.Palette.new(f"Harbour {number:02d}")
    for color in ("#123456", "#abcdef", "#d98c3f"):
        palette.add_entry(color, Gegl.Color.new(color))

def teach(**values):
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-text2colors-teach")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    for name, value in values.items():
        config.set_property(name.replace("_", "-"), value)
    answer = procedure.run(config)
    return answer.index(1) if answer.index(0) == Gimp.PDBStatusType.SUCCESS else Gimp.get_pdb().get_last_error()

names = "\\n".join(f"Harbour {number:02d}" for number in range(12))
say(
    taught=teach(style_name="studio", palette_names=names),
    few=teach(style_name="studio", palette_names="Harbour 00"),
    name=teach(style_name="a b", palette_names=names),
    missing=teach(style_name="studio", palette_names="Nowhere"),
)
image, layer = new_image()
call(image, [layer], phrase="sea", style="studio:0.7", count=1)
"""


def test_a_style_is_taught_and_used_from_scripts(host: Host) -> None:
    outcome = host.batch(TEACH, host.fake_engine("good"))
    facts = outcome.facts
    assert facts["taught"] == "studio of 12, Harbour 00 #123456\n/report.html"
    assert "too few to learn from" in facts["few"]
    assert "name of letters" in facts["name"]
    assert "no palette 'Nowhere'" in facts["missing"]
    assert outcome.code == 0
