"""The constants of GIMP 2.10, read from the stubs of this project. Runs on Python 2.7 and 3."""

import io
import os
import re

_STUB = os.environ.get("T2C_GIMPENUMS_STUB") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)),
    *"../../../gimp_plugin/stubs/gimpfu-stubs/gimpenums-stubs/__init__.pyi".split("/")
)

with io.open(_STUB, encoding="utf-8") as _file:
    for _name, _value in re.findall(r"^(\w+): Final = (\S+)$", _file.read(), re.MULTILINE):
        globals()[str(_name)] = float(_value) if "." in _value else int(_value)

__all__ = [_name for _name in globals() if _name.isupper()]
