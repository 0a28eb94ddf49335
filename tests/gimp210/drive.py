"""Run the scenario with the plug-in of a folder on the fake GIMP: drive.py PLUG_IN_FOLDER OUTPUT [STEP ...].

Runs on Python 2.7 and 3. `--register` in place of steps imports the plug-in and tells what it has registered.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main(folder, output, steps):
    sys.path[:0] = [folder, os.path.join(HERE, "fake"), HERE]
    import gimpfu

    import text2colors  # noqa: F401  (registers)

    if steps == ["--register"]:
        told = {
            name: {
                "menu": one["menu"],
                "label": one["label"],
                "imagetypes": one["imagetypes"],
                "params": [[entry[0], entry[1], entry[4:]] for entry in one["params"]],
            }
            for name, one in gimpfu.plugins.items()
        }
    else:
        import fake_steps
        import scenario

        known = scenario.STEPS + fake_steps.STEPS + (fake_steps.ALONE if steps else ())
        told = scenario.run(known, steps)
    with open(output, "w") as file:
        file.write(json.dumps({"python": sys.version, "told": told}, ensure_ascii=True))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
