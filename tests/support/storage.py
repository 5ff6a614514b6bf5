"""A local file system that does what a test wants of it."""

import contextlib
import os
import threading
from unittest import mock

import pytest

from keras_image_saver.run import disk
from keras_image_saver.run.storage import Local


@contextlib.contextmanager
def replacing(hook):
    """Call `hook(path, replace)` in place of each replacement of a local file.

    `replace()` goes through with it; what the hook raises is what storage answers.
    """
    replace = Local.replace

    def hooked(place, write):
        hook(place.path, lambda: replace(place, write))

    with answering("replace", hooked):
        yield


def answering(method, hook):
    """Call `hook` in place of a method of local storage."""
    return mock.patch.object(Local, method, hook)


def full_device():
    """Every file that is opened for writing is /dev/full, which answers ENOSPC."""

    def open_full(path, mode):
        if mode != "xb":
            return open(path, mode)
        open(path, mode).close()
        return open("/dev/full", "wb")

    return mock.patch.object(disk, "open", open_full, create=True)


def _refuse(thread):
    raise RuntimeError("there are as many threads as the system allows")


class Killed(BaseException):
    """The process ends here: nothing behind it runs."""


def killed_after(steps, action):
    """Run `action`, killed after so many steps of local storage; True if it came to its end.

    A step is a file that is replaced, moved or removed; one more stands between a temporary file and
    the rename that makes it the file.
    """
    left = [steps]

    def step():
        if left[0] == 0:
            raise Killed
        left[0] -= 1

    def counted(function):
        def call(*arguments, **options):
            step()
            return function(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("move", "remove"):
            patch.setattr(Local, name, counted(getattr(Local, name)))
        patch.setattr(os, "replace", counted(os.replace))
        # On this thread, which is what is killed.
        patch.setattr(threading.Thread, "start", _refuse)
        # What is half written stays, as it does when a process is killed.
        unlink = os.unlink
        patch.setattr(os, "unlink", lambda path: left[0] and unlink(path))
        try:
            action()
        except Killed:
            return False
    return True
