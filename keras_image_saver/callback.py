"""`ImageSaver`: its arguments, the Keras hooks, loops of one's own, and copies."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import tensorflow as tf

from keras_image_saver.live_run import LiveRun
from keras_image_saver.model.backend import ON_TENSORFLOW
from keras_image_saver.model.datasets import read_samples
from keras_image_saver.model.lookup import check_copied, check_drawing, check_watched
from keras_image_saver.model.own_metrics import name_metrics
from keras_image_saver.model.weights import check_weights
from keras_image_saver.picture import formats
from keras_image_saver.picture.tiling import Tiling, check_sample_names
from keras_image_saver.pipeline import Pipeline
from keras_image_saver.progress import Progress, Schedule
from keras_image_saver.render.function import Render, as_renderer
from keras_image_saver.run.lock import next_order
from keras_image_saver.run.logs import check_logs, plain_logs
from keras_image_saver.run.previous import Previous
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.retention import Retention
from keras_image_saver.run.template import Template
from keras_image_saver.settings import Settings, check_reactions

_LOOPS = "In a loop without `fit` use `with saver.watch(model):` and `save`."


class ImageSaver(tf.keras.callbacks.Callback):
    """Saves what a model draws of fixed samples while it trains.

    At the end of each epoch the model is run on the samples, its outputs become one uint8 grid, and
    the grid a file. Before the first batch the whole way is rehearsed once, so that wrong arguments
    raise there; afterwards no failure of the callback stops training (see `on_error`).

    Example:
        ```python
        gan.fit(data, epochs=200, callbacks=[
            ImageSaver("runs/dcgan/{epoch:04d}.png", latents(64, 128, seed=7), model="generator")])
        ```

    Args:
        filepath: A template as in `ModelCheckpoint`: `{epoch}`, `{batch}` (in its epoch) and `{step}`
            (over the run), all counted from 1, and every key of `logs`. A path without a suffix, such
            as runs/lr_0.01, is a folder and means `{epoch:04d}.png` in it, or `{step:08d}.png` when
            saving by batches. Suffixes: .png, .jpg, .webp, .tif, .bmp, .gif, .avif (Pillow 11.3). Any
            `tf.io.gfile` path works; a relative one is fixed when training starts.
        samples: What the model is shown, as `fit` reads data: an array; a tuple (x, y) or (x, y, w);
            a list (several inputs) or dict (named inputs) of arrays; a batched `tf.data.Dataset` or
            a Keras `Sequence`/`PyDataset`. Read once, here, and kept as NumPy arrays. Reading a
            shuffled training dataset changes the order that `fit` sees later: pass arrays or a
            separate dataset. None only together with `predict`.
        model: What draws: None for the model in training, the name of an attribute of it
            ("generator", "vae.decoder", also into dicts and lists: "nets.0"), or a Keras model.
        predict: `predict(model, inputs) -> outputs` instead of a plain call with `training=False`:
            for a sampler, a method, dropout at inference. Called eagerly, a chunk of rows at a time,
            with tensors in the samples' structure; returns arrays, or a list or dict of them, a row
            a sample. Each chunk has as many rows; the last one is filled up with its last row. An
            overridden `predict_step` is not used: pass it here.
        output: Which output of a model with several: a name, or an index, negative too.
        render: `Images(...)`, `Segmentation(...)`, or a function `render(batch) -> {name: images}`
            of a `Batch` with `inputs`, `targets` and `outputs`. None means `Images()`.
        num_samples: Rows to take. None: 16 of a dataset, all of arrays. At most 1,024.
        batch_size: Rows through the model at a time, at most. None: 32, or 64 where outputs are small.
        weights: "raw" draws the weights in the model, "ema" the moving averages that the optimizer
            keeps (`use_ema=True`; before its first step, raw ones), ("raw", "ema") both, a panel each.
            None is "raw", and says before training that there are averages. The record says which.
        metrics: Numbers for each sample: names ("mae", "mse", "psnr", "ssim"; "accuracy", "iou", "dice";
            "change", "diversity"), or functions `fn(targets, outputs)` as Keras has them, on raw
            outputs, averaged to one a sample, the most of which is the worst. A dict names them.
        every_epochs: A snapshot each so many epochs, or a function of the epoch, from 1, that tells
            where it begins whether it has one; dense at first is `lambda e: e < 10 or e % 10 == 0`.
            Without it and `every_batches`: every epoch.
        every_batches: A snapshot each so many batches, counted over the run. Where both fall on one
            step there is one snapshot, the epoch's.
        save_initial: Whether to save the untrained model too, as epoch 0; not when training resumes
            at a later epoch. Under Keras 2 the model must be built for it.
        columns: Samples per row. None: ceil(sqrt(N)) with one panel, else the nearest to a square.
        padding: Gap around each tile, in pixels (2); between samples of several panels four times it.
        pad_value: Grey level of gaps and empty tiles, 0 to 255. None: 56, a dark grey. A run that is
            resumed keeps its layout and gaps where nothing else is said.
        sample_names: A text a sample: under its tiles, cut to their width, and whole on the page.
        encoder_options: `compress_level` (PNG), `quality` (JPEG, WebP, AVIF), `lossless` (WebP).
        rehearse: Whether to go the whole way once before training.
        on_error: What a failure during training does: "warn" logs one line a kind of failure, counts
            the snapshot as missed and goes on; "raise" raises `ImageSaverError` at the next hook. Where
            several workers train, only what fails in drawing raises, on each of them.
        background: Whether to map, encode and write behind the training. It pays with an accelerator,
            spare cores or slow storage; on busy cores a thread hides nothing.
        previous: What becomes of an earlier run in the folder when a new one begins: "keep" moves it
            to `previous-<n>/`, "delete" deletes it.
        max_to_keep: So many of the newest snapshots stay on disk, and beside them, not counted, the
            first; other files are removed, once listeners have had them. None: all stay.
        keep_period: With `max_to_keep`: also the last of each epoch that this divides.
        page: Whether to keep an `index.html` in the run's folder: a page that shows the run while it
            grows. One that is not ours is left alone.
        listeners: Functions that are called with each `Snapshot` (`image`, `epoch`, `batch`, `step`,
            `logs`, `path`), on the training thread, at the next hook after its file is written. One
            that has an `open()` or a `close()` has it called whenever training begins or ends.

    Raises:
        ValueError: If an argument is not valid: here, or, by the model, before the first batch.
        TypeError: If an argument is of a wrong type.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        samples: Any,
        *,
        model: Any = None,
        predict: Callable[[Any, Any], Any] | None = None,
        output: str | int | None = None,
        render: Render = None,
        num_samples: int | None = None,
        batch_size: int | None = None,
        weights: str | Sequence[str] | None = None,
        metrics: Sequence[Any] | Mapping[str, Any] = (),
        every_epochs: int | Callable[[int], bool] | None = None,
        every_batches: int | None = None,
        save_initial: bool = False,
        columns: int | None = None,
        padding: int | None = None,
        pad_value: int | None = None,
        sample_names: Sequence[str] | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        rehearse: bool = True,
        on_error: Literal["warn", "raise"] = "warn",
        background: bool = True,
        previous: Previous = "keep",
        max_to_keep: int | None = None,
        keep_period: int | None = None,
        page: bool = True,
        listeners: Sequence[Callable[[Snapshot], Any]] = (),
    ) -> None:
        super().__init__()
        # Keras 2 copies the logs of every batch to the host for callbacks that do not say this; its
        # own `__init__` says the contrary.
        self._supports_tf_logs = True
        check_drawing(model, predict, output)
        check_reactions(on_error, previous, listeners)
        schedule = Schedule(every_epochs, every_batches)
        shown = read_samples(samples, num_samples, predict_alone=predict is not None)
        names = check_sample_names(sample_names, len(shown))
        template = Template(
            filepath, by_batches=every_batches is not None, suffixes=formats.BY_SUFFIX
        )
        self._settings = Settings(
            template=template,
            schedule=schedule,
            samples=shown,
            model=model,
            pipeline=Pipeline(
                renderer=as_renderer(render, whole=output is None),
                predict=predict,
                output=output,
                batch_size=batch_size,
                tiling=Tiling(columns, padding, pad_value, names),
                format=formats.check_format(template.text, encoder_options),
                keeps_image=bool(listeners),
                metrics=name_metrics(metrics),
            ),
            weights=check_weights(weights),
            save_initial=save_initial,
            rehearse=rehearse,
            on_error=on_error,
            background=background,
            previous=previous,
            retention=Retention(max_to_keep, keep_period),
            page=bool(page),
            listeners=tuple(listeners),
        )
        # Counting is safe in any order; snapshots between batches are of the batch that ended.
        self.async_safe = schedule.every_batches is None
        self._forget_run()

    def _forget_run(self) -> None:
        """Be as if training had never begun: a copy begins a run of its own."""
        self._progress = Progress(self._settings.schedule)
        self._run = LiveRun(self._settings)
        # When training began, until its first epoch is known, which tells where it resumes; then None,
        # until training ends.
        self._began: int | None = 0
        self._is_watched = False
        self._set: Any = None  # the model that was set last, in training or not

    # Keras hooks

    def set_model(self, model: Any) -> None:
        self._set = model
        # An `evaluate` inside `fit` that is given the saver too may be that of another model.
        if self._began is not None:
            super().set_model(model)

    def on_train_begin(self, logs: Any = None) -> None:
        self._began = next_order()
        self._run.fix_path()
        super().set_model(self._set)
        # Here they are those of `fit`: an `evaluate` inside it sets its own.
        steps = (getattr(self, "params", None) or {}).get("steps")
        self._progress.steps_per_epoch = None if steps is None else int(steps)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._began is not None:
            self._begin(epoch)
        self._run.report_finished(self._progress.begin_epoch(epoch))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._require_epoch("on_epoch_end")
        moment = self._progress.end_epoch()
        self._run.report_finished()
        if moment is not None:
            self._run.snapshot(self.model, moment, plain_logs(logs))

    def on_train_end(self, logs: Any = None) -> None:
        self._began = 0
        self._run.close()

    # Batches are counted in every run: an epoch may be stopped before its last one.

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        due = self._progress.begin_batch()
        if due is not None:
            self._run.snapshot(self.model, *due)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._require_epoch("on_train_batch_end")
        due = self._progress.end_batch(batch, lambda: plain_logs(logs))
        # On JAX and PyTorch, Keras may call this from a thread where the user's code does not belong.
        waits = ON_TENSORFLOW and not self._run.is_ready
        if self.async_safe and not waits:
            return
        self._run.catch_up(self.model)
        if due is not None:
            self._run.snapshot(self.model, *due)

    def _require_epoch(self, hook: str) -> None:
        """Refuse hooks that are called by hand where no epoch has begun."""
        if self._began is not None:
            raise RuntimeError(f"`{hook}` needs `on_epoch_begin` before it. {_LOOPS}")

    def _begin(self, epoch: int, *, scoped: bool = False) -> None:
        """Begin, or go on with, the run, now that the first epoch is known."""
        if self.model is None:
            raise RuntimeError(f"`on_epoch_begin` needs a model: `set_model` before it. {_LOOPS}")
        began, self._began = self._began or 0, None
        self._progress.begin_fit(epoch)
        steps = self._run.begin(self.model, began, epoch, scoped=scoped)
        if steps is not None:
            self._progress.resume(epoch, steps)

    # Loops without `fit`

    @contextlib.contextmanager
    def watch(self, model: Any) -> "Iterator[ImageSaver]":
        """Watch a model that a loop of one's own trains; `save` saves while it is watched.

        Args:
            model: The model in training, or what draws.

        Raises:
            TypeError: If `model` is none.
            RuntimeError: If the saver is watching already.
            ValueError: If the arguments do not fit the model, as before the first batch of `fit`.

        Example:
            ```python
            with saver.watch(generator):
                for epoch in range(100):
                    ...
                    saver.save(epoch=epoch, logs={"g_loss": g_loss})
            ```
        """
        self._settings.schedule.check_loop()
        check_watched(model, self._settings.model)
        if self._is_watched:
            raise RuntimeError("`watch` must end before it begins again, and it has not ended.")
        super().set_model(model)
        self._began = next_order()
        self._run.fix_path()
        self._begin(0, scoped=True)
        self._progress.begin_loop()
        self._is_watched = True
        failed = True
        try:
            yield self
            failed = False
        finally:
            self._is_watched, self._began = False, 0
            try:
                self._run.close(failed=failed)
            finally:
                self.set_model(None)

    def save(
        self,
        *,
        epoch: int | None = None,
        batch: int | None = None,
        step: int | None = None,
        logs: Mapping[str, Any] | None = None,
    ) -> None:
        """Save one snapshot of the model that is watched, now.

        Args:
            epoch: The loop's epoch, counted from 0 as in Keras's hooks; file names count from 1. A
                second loop that starts at 0 goes on with the run, as a second `fit` does; so does
                one that counts steps it has had.
            batch: The batch in its epoch, counted from 0.
            step: The step over the run, counted from 0.
            logs: Metrics for the file name and the file's metadata.

        Raises:
            RuntimeError: If there is no run that `watch` began.
            TypeError: If `logs` is no dict.
            ValueError: If a count is not an int, 0 or more, or the template has a counter that is not
                given, or lacks one that is.
            ImageSaverError: If the snapshot fails, under `on_error="raise"`.
        """
        if not self._is_watched or self._began is not None:
            raise RuntimeError(
                "`save` needs a run that `watch` began: call it inside `with saver.watch(model):`. In "
                "`fit`, `every_epochs` and `every_batches` say when to save."
            )
        check_logs(logs)
        counts = self._settings.template.read_counts(epoch=epoch, batch=batch, step=step)
        self._settings.retention.check_counted(counts)
        moment = self._progress.count(**counts)
        self._run.report_finished()
        self._run.snapshot(self.model, moment, plain_logs(logs))

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        check_copied(self._settings.model)
        # What belongs to the run is made anew; the model and its hooks are for Keras to set again.
        dropped = {"_run", "_progress", "_began", "_is_watched", "_set"}
        cleared = {"model", "_model", "params"}
        return {
            name: None if name in cleared else value
            for name, value in self.__dict__.items()
            if name not in dropped
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget_run()
