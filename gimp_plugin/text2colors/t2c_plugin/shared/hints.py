"""What to do about failures between plug-in and engine: a table of hints. Runs on Python 2.7 and 3.

Standard library only; must not import gi or gimp.
"""

import re

try:
    from typing import Text, Tuple
except ImportError:  # Python 2.7 has no typing; the types stand in comments
    pass

# what to look for in the message and in the engine's last words; the first that is found gives the hint
HINTS = (
    (r"Host key verification failed", "Log in to that machine once with ssh in a terminal and accept its key."),
    (
        r"Permission denied \(.*(publickey|password)",
        "Set up an ssh key that needs no typing for that machine; try 'ssh HOST t2c doctor' in a terminal.",
    ),
    (
        r"Could not resolve hostname|Connection timed out|No route to host|ssh: connect to host",
        "That machine cannot be reached; check its name and the network with ssh in a terminal.",
    ),
    (
        r"No module named t2c_engine|No module named 't2c_engine'",
        "The engine command points to a Python without text2colors; run the installer again.",
    ),
    (r"ModuleNotFoundError|ImportError: cannot import", "The engine lacks a library; run the installer again."),
    (
        r"WinError 126|DLL load failed|VCRUNTIME",
        "A Windows library is missing: install the Microsoft Visual C++ Redistributable, then run the installer again.",
    ),
    (r"GLIBC_|GLIBCXX_|wrong ELF class", "The engine was installed for another system; run the installer again here."),
    (
        r"No such command|another language version",
        "The plug-in and the engine are of different versions; run the installer again, which updates both.",
    ),
    (r"SyntaxError|requires a different Python", "The engine's Python is too old; 3.11 or later is needed."),
    (r"Exec format error|WinError 193", "The engine command is no program for this system; run the installer again."),
    (r"CUDA.*out of memory|OutOfMemoryError", "The GPU has too little memory free; choose CPU as the device."),
    (r"MemoryError|signal 9", "The computer may have run out of memory; close other programs and try again."),
    (r"No space left on device", "The disk is full; free some space and try again."),
    (
        r"Permission denied|PermissionError|WinError 5\b|Operation not permitted",
        "Something may not be opened or started; check who owns the text2colors folder, or run the installer again.",
    ),
    (
        r"sha256|safetensors|ModelError",
        "The trained weights are missing or damaged; run the installer again.",
    ),
    (
        r"Welcome|Last login|wrote text",
        "Something prints a greeting before the engine starts; keep the shell's start files silent for commands.",
    ),
    (
        r"socket",
        "Start the engine with 't2c engine --listen SOCKET', with the path that engine.json names.",
    ),
    (
        r"No such file or directory|WinError [23]\b|command not found|not found",
        "Run the installer again, or correct the engine command.",
    ),
)  # type: Tuple[Tuple[str, str], ...]


def find_hint(*texts):
    # type: (Text) -> Text
    """The first hint of the table whose pattern occurs in one of the texts, earlier texts first; "" when none does."""
    for text in texts:
        for pattern, hint in HINTS:
            if re.search(pattern, text, re.IGNORECASE):
                return hint
    return ""
