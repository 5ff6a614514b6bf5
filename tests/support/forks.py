"""Scripts that run in processes of their own, for which TensorFlow is imported once."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap

# Imports once and forks, before any operation of TensorFlow's has run and any of its threads exists: a
# process for each connection, and from that one for each line that it reads. The innermost leaves the
# loops, so that the end of its script is that of an interpreter: an error is printed, what is registered
# is called. The outermost ends with whom it was started by, the others with their connections.
_SERVER = """
    import json, os, select, signal, socket, sys
    import numpy
    import tensorflow
    import keras_image_saver

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those of the connections
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(sys.argv[1])
    listening.listen()
    print("ready", flush=True)
    while listening in select.select([listening, sys.stdin], [], [])[0]:
        connection, _ = listening.accept()
        if os.fork() == 0:
            break
        connection.close()
    else:
        os._exit(0)

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    listening.close()
    lines = connection.makefile("rw")
    for line in lines:
        code, arguments, output = json.loads(line)
        child = os.fork()
        if child == 0:
            break
        print(child, file=lines, flush=True)
        print(os.waitpid(child, 0)[1], file=lines, flush=True)
    else:
        os._exit(0)

    connection.close()
    lines.close()
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["script", *arguments]
    exec(compile(code, "script", "exec"), {"__name__": "__main__"})
"""


class Forks:
    """Runs scripts one at a time; each may be killed.

    Args:
        address: The path of a socket, at which all that test side by side find the process that forks.
        output: The file of what the scripts print.

    Attributes:
        child: The number of the newest script's process.
    """

    def __init__(self, address, output):
        self._output = output
        self._server = None
        self._connection = socket.socket(socket.AF_UNIX)
        with open(f"{address}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                self._connection.connect(str(address))
            except OSError:  # it was not started yet, or has ended
                address.unlink(missing_ok=True)
                self._start(address)
                self._connection.connect(str(address))
        self._lines = self._connection.makefile("rw")

    def _start(self, address):
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(_SERVER), str(address)]
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._server.stdout.readline() == "ready\n"

    def start(self, code, *arguments):
        """Start a script, and do not wait for it."""
        asked = [textwrap.dedent(code), [str(one) for one in arguments], str(self._output)]
        print(json.dumps(asked), file=self._lines, flush=True)
        self.child = int(self._lines.readline())

    def wait(self):
        """Wait for its end; return the exit code, or minus the signal that ended it."""
        return os.waitstatus_to_exitcode(int(self._lines.readline()))

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
        """Ask for no more scripts, and end what was started here."""
        self._lines.close()
        self._connection.close()
        if self._server is not None:
            self._server.stdin.close()
            self._server.wait(30)
            self._server.stdout.close()
