"""The program of a node whose operators are written in Python. `dora run` starts it."""

import faulthandler
import os
import sys


def start():
    try:
        import dora.dora  # noqa: F401
    except ImportError as error:
        # The daemon knows what to say of this line.
        return f"{type(error).__name__}: {error}"
    # sys.path begins with this folder. Operators find what they would find under the official runtime: the working
    # directory first, and nothing of ours.
    keep = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    from dora_bun.runtime import Runtime

    sys.dont_write_bytecode = keep
    # A crash in native code shows where it was called.
    faulthandler.enable()
    sys.path[0] = ""
    del sys.argv[1:]
    return Runtime(os.environ).run()


if __name__ == "__main__":
    sys.exit(start())
