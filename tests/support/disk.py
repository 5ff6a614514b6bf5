"""What a local file system was asked to do, and in which order."""

import os

from keras_image_saver.run.files import is_temporary


class Calls(list):
    """Renames and syncs as (what, path below a folder); a temporary file is called by its new name."""

    def __init__(self, folder, monkeypatch):
        super().__init__()
        self._folder = os.path.realpath(folder)
        self._fsync, self._replace = os.fsync, os.replace
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "replace", self.replace)

    def name(self, path):
        found = os.path.relpath(os.path.realpath(path), self._folder)
        return "a temporary" if is_temporary(os.path.basename(found)) else found

    def fsync(self, descriptor):
        self.append(("sync", self.name(f"/proc/self/fd/{descriptor}")))
        self._fsync(descriptor)

    def replace(self, source, target):
        self.append(("rename", f"{self.name(source)} to {self.name(target)}"))
        self._replace(source, target)
