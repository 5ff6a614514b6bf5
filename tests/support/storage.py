"""A local file system that does what a test wants of it."""

import contextlib
from unittest import mock

from keras_image_saver.run.storage import Local


@contextlib.contextmanager
def replacing(hook):
    """Call `hook(path, replace)` in place of each replacement of a local file.

    `replace()` goes through with it; what the hook raises is what storage answers.
    """
    replace = Local.replace

    def hooked(place, write):
        hook(place.path, lambda: replace(place, write))

    with mock.patch.object(Local, "replace", hooked):
        yield
