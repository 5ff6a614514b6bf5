"""Scripts that run in processes of their own, of which only the first imports TensorFlow."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap

# Imports once and forks a process for each line that it reads, before any operation of TensorFlow's
# has run and any of its threads exists. The child leaves the loop, so that the end of its script is
# that of an interpreter: an error is printed, what is registered is called.
_SERVER = """
    import json, os, sys
    import numpy
    import tensorflow
    import keras_image_saver

    print("ready", flush=True)
    for line in sys.stdin:
        code, arguments, output = json.loads(line)
        child = os.fork()
        if child == 0:
            break
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
    else:
        os._exit(0)

    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["script", *arguments]
    exec(compile(code, "script", "exec"), {"__name__": "__main__"})
"""


class Forks:
    """Runs scripts one at a time; each may be killed.

    Args:
        folder: Where what they print is kept.

    Attributes:
        child: The number of the newest script's process.
    """

    def __init__(self, folder):
        self._output = folder / "output.txt"
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(_SERVER)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout.readline() == "ready\n"

    def start(self, code, *arguments):
        """Start a script, and do not wait for it."""
        asked = [textwrap.dedent(code), [str(one) for one in arguments], str(self._output)]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        self.child = int(self._process.stdout.readline())

    def wait(self):
        """Wait for its end; return the exit code, or minus the signal that ended it."""
        return os.waitstatus_to_exitcode(int(self._process.stdout.readline()))

    def run(self, code, *arguments):
        """Run a script to its end; return its exit code and what it printed."""
        self.start(code, *arguments)
        return self.wait(), self.printed()

    def printed(self):
        """What the newest script has printed, and its errors."""
        return self._output.read_text()

    def kill(self):
        """Kill it, if it has not ended, and return what `wait` does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGKILL)
        return self.wait()

    def has_ended(self):
        """Whether the script has come to its end."""
        try:
            os.kill(self.child, 0)
        except ProcessLookupError:
            return True
        return False

    def close(self):
        """End the process that forks."""
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
