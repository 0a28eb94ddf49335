"""The tab for colors from a picture, in a GIMP of its own: only one other image is open in it."""

from gui import Gui, wait_for
from test_gui import MAIN, NATURAL, SEARCH, TITLE, gui, middle, shot, use  # noqa: F401


def test_a_layer_of_another_image_gives_its_colors(gui: Gui) -> None:  # noqa: F811
    use(gui, "good")
    gui.tell(
        "other = Gimp.Image.new(60, 40, Gimp.ImageBaseType.RGB)\n"
        "postcard = Gimp.Layer.new(other, 'postcard', 60, 40, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)\n"
        "other.insert_layer(postcard, None, 0)\n"
        "Gimp.context_set_foreground(Gegl.Color.new('#c04020'))\n"
        "postcard.edit_fill(Gimp.FillType.FOREGROUND)"
    )
    window = gui.open_dialog(MAIN, SEARCH, TITLE)
    wait_for(lambda: middle(gui, window) == NATURAL, "natural colors")
    gui.keys("alt+t")
    gui.settle()
    shot(gui, "reference-tab", window)
    gui.keys("space")
    gui.settle()
    gui.keys("Down", "Return")
    wait_for(lambda: middle(gui, window) == (0xC0, 0x40, 0x20), "the colors of the postcard")
    gui.settle()
    shot(gui, "reference-row", window)
    gui.keys("ctrl+Return")
    wait_for(lambda: gui.is_gone(TITLE), "the dialog to close")
    names = gui.tell(
        "answer = [one.get_name() for group in image.get_layers() if group.is_group()"
        " for one in group.get_children()]\nanswer"
    )
    assert any("postcard" in name for name in names)
    gui.tell("other.delete()")
