"""A local file system that does what a test wants of it."""

import contextlib
from unittest import mock

from keras_image_saver.run import storage
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

    return mock.patch.object(storage, "open", open_full, create=True)
