"""Steps that only the fake can show: what the user undoes, fills into the dialog, and sees when something fails.

Runs on Python 2.7 and 3; see `scenario.py`.
"""

import core
import gimp
import gimpfu
from scenario import PALETTE, colorize, digest, new_image, seen, text

PROCEDURE = "plug-in-text2colors"


def state(image):
    return [text(one.name) for one in image.layers], image.base_type, image.layers[-1].visible


def undone():
    """A grey image, with dabs' layer hidden and masks added: one step back, and all is as it was."""
    image, layer = new_image(2, alpha=lambda x: 255 if x < 24 else 0)
    before, pixels = state(image), digest(layer)
    colorize(image, layer, palettes=PALETTE + ";#112233")
    steps = len(image._image.undo_stack)
    image._image.undo()
    return {"steps": steps, "same": state(image) == before and digest(layer) == pixels}


def put_back():
    """GIMP refuses something half-way: no layer stays, and a grey image is grey again."""
    image, layer = new_image(1)
    before = state(image)
    real, gimp.Layer.attach_new_parasite = gimp.Layer.attach_new_parasite, refuse
    try:
        colorize(image, layer, palettes=PALETTE)
        failed = False
    except RuntimeError:
        failed = True
    finally:
        gimp.Layer.attach_new_parasite = real
    return {"failed": failed, "same": state(image) == before, "message": gimp.told["messages"][-1]}


def refuse(*_):
    raise gimp.error("no more parasites")


def with_dialog():
    """The dialog's values arrive, whatever types GIMP makes of them; then the same again, without asking."""
    image, layer = new_image(3)
    call = gimp.pdb[PROCEDURE]
    gimpfu.answers = {"phrase": "deep sea", "count": 2, "seed": 5, "strength": 0.4, "device": 1, "result-mode": 1}
    shown = call(image, layer, run_mode=0)
    again = call(image, layer, run_mode=2)
    gimpfu.answers = None
    closed = call(image, layer, run_mode=0)
    return {
        "shown": [seen(one) for one in shown.children],
        "again": [seen(one) for one in again.children],
        "closed": closed is None,
        "groups": len(image.layers) - 1,
    }


def failing_dialog():
    """With a dialog a failure is one sentence: no traceback, and the procedure ends well."""
    image, layer = new_image(3)
    gimpfu.answers = {"palettes": "#zzz"}
    before = len(gimp.told["messages"])
    result = gimp.pdb[PROCEDURE](image, layer, run_mode=0)
    gimpfu.answers = None
    return {
        "result": result is None,
        "messages": gimp.told["messages"][before:],
        "tracebacks": gimpfu.tracebacks,
        "layers": len(image.layers),
    }


def progress():
    """The bar only moves on."""
    begin = len(gimp.told["progress"])
    image, layer = new_image(1)
    colorize(image, layer, palettes=PALETTE + ";#112233;#445566")
    moved = gimp.told["progress"][begin:]
    return {"sorted": moved == sorted(moved), "steps": len(moved), "last": moved[-1], "texts": gimp.told["texts"][-1]}


def missing_engine():
    """What the user reads when the engine that is set cannot be started."""
    image, layer = new_image(1)
    before = state(image)
    try:
        colorize(image, layer, palettes=PALETTE)
    except RuntimeError:
        pass
    return {"message": gimp.told["messages"][-1], "same": state(image) == before, "items": len(core.images)}


STEPS = (undone, put_back, with_dialog, failing_dialog, progress)
ALONE = (missing_engine,)  # needs an engine that is not there
