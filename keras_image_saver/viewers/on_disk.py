"""Which snapshots of a run there are to look at now."""

from keras_image_saver.run.reader import Run
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.storage import storage_of


def on_disk(run: Run) -> list[Snapshot]:
    """Return a run's snapshots, without those that were removed since it was read.

    A run that is being written with `max_to_keep` removes some meanwhile, which are not missing then.
    """
    found, settings = list(run), run.about.get("settings")
    removes = isinstance(settings, dict) and settings.get("max_to_keep")
    if not removes or all(storage_of(one.path).exists() for one in found):
        return found
    removed = {one.path for one in Run.open(run.folder).removed}
    return [one for one in found if one.path not in removed]
