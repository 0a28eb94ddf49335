"""Entry point of `t2c` and of `python -m t2c_engine`: a command that starts, or says in words why it cannot.

Imports the command line only inside `main`, so that Ctrl-C, too little memory and a broken installation are met at any
moment of the start. Must not import anything but the standard library at module level.
"""

import contextlib
import os
import signal
import sys

INTERRUPTED = 130
COLORING = ("colorize", "batch", "again", "engine")  # commands that load the colour network


def main() -> None:
    """Run the command line and end the process with its exit code: 0, 1, 2, or 130 after Ctrl-C."""
    with contextlib.suppress(ValueError):  # not in the main thread: somebody else's process
        signal.signal(signal.SIGINT, _leave)
    sys.exit(_run())


def _run() -> int:
    try:
        if len(sys.argv) > 1 and sys.argv[1] in COLORING:
            _check_memory()
        from t2c_engine.cli.main import run

        return run()
    except MemoryError:
        return _complain("Memory ran out at the start; close other programs, or raise the memory limit.")
    except ImportError as error:
        reason = " ".join(str(error).split("Original error was:")[-1].split())[:200]  # numpy says much before that
        return _complain(f"The program cannot start ({reason}); raise the memory limit, or reinstall text2colors.")
    finally:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, _leave)


def _check_memory() -> None:
    """Raise MemoryError under a limit too low for torch, whose libraries would end the process without a sentence."""
    from t2c_engine.environment import COLOR_ADDRESS_SPACE, address_space_limit

    limit = address_space_limit()
    if limit is not None and limit < COLOR_ADDRESS_SPACE:
        raise MemoryError


def _complain(sentence: str, code: int = 1) -> int:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # standard error may be closed
        print(f"t2c: {sentence}", file=sys.stderr, flush=True)
    return code


def _leave(number: int, frame: object) -> None:
    """Leave at once, even in the middle of an import, which would turn an exception into lines of its own.

    Standard error may be exchanged or in the middle of a line of its own then, so its file descriptor is written to.
    """
    with contextlib.suppress(OSError):
        os.write(2, b"t2c: Interrupted.\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
