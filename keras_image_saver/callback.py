"""`ImageSaver`: the Keras hooks. It joins schedule, model, pipeline and file names."""

from __future__ import annotations

import contextlib
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from keras_image_saver.checks import check_choice, check_int, is_int
from keras_image_saver.model import workers
from keras_image_saver.model.datasets import read_samples
from keras_image_saver.model.lookup import BUILDS_AT_ANY_TIME, check_call, find_model, is_built
from keras_image_saver.picture import encoder
from keras_image_saver.picture.grid import check_grid
from keras_image_saver.pipeline import Drawing, Pipeline
from keras_image_saver.progress import Moment, Schedule
from keras_image_saver.render.function import FunctionRenderer
from keras_image_saver.render.images import Images
from keras_image_saver.report import Report, say
from keras_image_saver.run.lock import next_order
from keras_image_saver.run.logs import json_logs, plain_logs
from keras_image_saver.run.previous import Previous
from keras_image_saver.run.record import Mirror, Snapshot
from keras_image_saver.run.session import Job, Saved, Session
from keras_image_saver.run.template import Template
from keras_image_saver.samples import Samples

_LONG_REHEARSAL_S = 10.0

logger = logging.getLogger("keras_image_saver")


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
            (over the run), all counted from 1, and every key of `logs`. A path without a suffix is
            a folder and means `{epoch:04d}.png` in it, or `{step:08d}.png` when saving by batches.
            The suffix names the format: .png, .jpg, .webp, .tif, .bmp, .gif, .avif. Any
            `tf.io.gfile` path works.
        samples: What the model is shown, as `fit` reads data: an array; a tuple (x, y) or (x, y, w);
            a list (several inputs) or dict (named inputs) of arrays; a batched `tf.data.Dataset` or
            a Keras `Sequence`/`PyDataset`. Read once, here, and kept as NumPy arrays. Reading a
            shuffled training dataset changes the order that `fit` sees later: pass arrays or a
            separate dataset. None only together with `predict`.
        model: What draws: None for the model in training, the name of an attribute of it
            ("generator", "vae.decoder"), or a Keras model.
        predict: `predict(model, inputs) -> outputs` instead of a plain call with `training=False`:
            for a sampler, a method, dropout at inference. Called eagerly, a chunk of rows at a time,
            with tensors in the samples' structure; returns arrays, or a list or dict of them, a row
            a sample. An overridden `predict_step` is not used: pass it here.
        output: Which output of a model with several: a name, or an index, negative too.
        render: `Images(...)`, `Segmentation(...)`, or a function `render(batch) -> {name: images}`
            of a `Batch` with `inputs`, `targets` and `outputs`. None means `Images()`.
        num_samples: Rows to take. None: 16 of a dataset, all of arrays. At most 1,024.
        batch_size: Rows through the model at a time, at most.
        every_epochs: A snapshot each so many epochs. Without it and `every_batches`: every epoch.
        every_batches: A snapshot each so many batches, counted over the run. Where both fall on one
            step there is one snapshot, the epoch's.
        save_initial: Whether to save the untrained model too, as epoch 0; not when training resumes
            at a later epoch. Under Keras 2 the model must be built for it.
        columns: Samples per row of the grid. None: ceil(sqrt(N)) with one panel, 1 with several.
        padding: Gap around each tile, in pixels.
        pad_value: Grey level of gaps and empty tiles, 0 to 255.
        encoder_options: `compress_level` (PNG), `quality` (JPEG, WebP, AVIF), `lossless` (WebP).
        rehearse: Whether to go the whole way once before training.
        on_error: What a failure during training does: "warn" logs one line a kind of failure, counts
            the snapshot as missed and goes on; "raise" raises `ImageSaverError` at the next hook.
        background: Whether to map, encode and write behind the training. It pays with an accelerator,
            spare cores or slow storage; on busy cores a thread hides nothing.
        previous: What becomes of an earlier run in the folder when a new one begins: "keep" moves it
            to `previous-<n>/`, "delete" deletes it.
        page: Whether to keep an `index.html` in the run's folder: a page that shows the run while it
            grows. One that is not ours is left alone.
        listeners: Functions that are called with each `Snapshot` (`image`, `epoch`, `batch`, `step`,
            `logs`, `path`), on the training thread, at the next hook after its file is written. One
            that has a `close()` is closed whenever training ends.

    Raises:
        ValueError: If an argument is not valid; here, or before the first batch where the model must
            be known.
        TypeError: If an argument is of a wrong type.
    """

    # Keras 2 copies the logs of every batch to the host for callbacks that do not say this.
    _supports_tf_logs = True

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        samples: Any,
        *,
        model: Any = None,
        predict: Callable[[Any, Any], Any] | None = None,
        output: str | int | None = None,
        render: Any = None,
        num_samples: int | None = None,
        batch_size: int = 32,
        every_epochs: int | None = None,
        every_batches: int | None = None,
        save_initial: bool = False,
        columns: int | None = None,
        padding: int = 2,
        pad_value: int = 0,
        encoder_options: Mapping[str, Any] | None = None,
        rehearse: bool = True,
        on_error: str = "warn",
        background: bool = True,
        previous: Previous = "keep",
        page: bool = True,
        listeners: Sequence[Callable[[Snapshot], Any]] = (),
    ) -> None:
        super().__init__()
        _check_arguments(model, predict, output, render, batch_size)
        _check_run_arguments(on_error, previous, listeners)
        check_grid(columns, padding, pad_value)
        if samples is None:
            if predict is None:
                raise ValueError(
                    "`samples` must be given unless `predict` is, got None. Pass arrays, a batched "
                    "dataset, or latents(n, dim)."
                )
            if num_samples is not None:
                raise ValueError(
                    f"`num_samples` must be None without `samples`, got {num_samples!r}: `predict` "
                    "decides how many images there are."
                )
        self._schedule = Schedule(every_epochs, every_batches)
        self._template = Template(filepath, by_batches=every_batches is not None)
        kind = encoder.check_format(self._template.text)
        custom = callable(render) and not hasattr(render, "bind")
        self._pipeline = Pipeline(
            samples=Samples(None) if samples is None else read_samples(samples, num_samples),
            predict=predict,
            output=output,
            renderer=FunctionRenderer(render, whole=output is None)
            if custom
            else render or Images(),
            batch_size=batch_size,
            columns=columns,
            padding=padding,
            pad_value=pad_value,
            kind=kind,
            options=encoder.check_options(kind, encoder_options),
        )
        self._draws = model
        self._save_initial = save_initial
        self._rehearse_first = rehearse
        self._on_error = on_error
        self._background = background
        self._previous = previous
        self._page = bool(page)
        self._listeners = tuple(listeners)
        self._reset()
        if every_batches is not None:
            self._hook_batches()

    def _reset(self) -> None:
        """Forget the run: a copy begins its own."""
        self._session: Session | None = None
        self._writes = True
        self._began = 0
        self._fit_begins = True
        self._begun = False
        self._ready = False
        self._epochs_before = 0  # epochs of earlier fits of the same run
        self._epochs_done = 0
        self._steps_before = 0  # the same of steps, in loops that count them
        self._steps_done = 0
        self._epoch = 0
        self._batch = 0
        self._step_before = 0  # steps of the run before this epoch
        self._pending: tuple[dict[str, int], dict[str, Any]] | None = None
        self._report = Report(raises=self._on_error == "raise", listeners=self._listeners)

    # Keras hooks

    def set_params(self, params: Any) -> None:
        super().set_params(params)
        unbuilt = self._rehearse_first and not self._ready and not self._model_is_built()
        if self._steps_per_epoch() is None or unbuilt:
            self._hook_batches()

    def on_train_begin(self, logs: Any = None) -> None:
        self._fit_begins = True
        self._began = next_order()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._fit_begins:
            self._fit_begins = False
            self._begin(epoch)
        self._hear()
        self._epoch = self._epochs_before + epoch
        self._step_before += self._batch
        self._batch = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._pending = None
        self._hear()
        self._batch = self._batch or self._steps_per_epoch() or 0
        self._epochs_done = self._epoch + 1
        if self._schedule.epoch_is_due(self._epoch + 1):
            self._snapshot(self._counters(), plain_logs(logs))

    def on_train_end(self, logs: Any = None) -> None:
        self._end()

    def _hook_batches(self) -> None:
        """Have Keras call us at each batch: defined for every run it would slow training down."""
        self.on_train_batch_begin = self._on_train_batch_begin
        self.on_train_batch_end = self._on_train_batch_end

    def _on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._snapshot(*pending)

    def _on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        before = self._step_before + self._batch
        # Under `steps_per_execution` Keras 3 reports a batch past the end of the epoch.
        self._batch = max(self._batch, min(batch + 1, self._steps_per_epoch() or batch + 1))
        if self._hooks_are_concurrent():
            return  # not the training thread, where the user's code belongs
        self._hear()
        if not self._ready:
            self._rehearse()
        if not self._schedule.step_is_due(before, self._step_before + self._batch):
            return
        snapshot = self._counters(), plain_logs(logs)
        if self._schedule.epoch_is_due(self._epoch + 1):
            # If no batch follows, this step is the epoch's.
            self._pending = snapshot
        else:
            self._snapshot(*snapshot)

    # Loops without `fit`

    @contextlib.contextmanager
    def watch(self, model: Any) -> Iterator[ImageSaver]:
        """Watch a model that a loop of one's own trains; `save` saves while it is watched.

        Args:
            model: The model in training, or what draws.

        Raises:
            ValueError: If the arguments do not fit the model, as before the first batch of `fit`.

        Example:
            ```python
            with saver.watch(generator):
                for epoch in range(100):
                    ...
                    saver.save(epoch=epoch, logs={"g_loss": g_loss})
            ```
        """
        if self._schedule != Schedule():
            raise ValueError(
                "`every_epochs` and `every_batches` belong to `fit`, got "
                f"every_epochs={self._schedule.every_epochs} and every_batches="
                f"{self._schedule.every_batches} in `watch`: there, call `save` when one is due."
            )
        self.set_model(model)
        self._fit_begins = True
        self._began = next_order()
        self._begin(0, scoped=True)
        try:
            yield self
        finally:
            try:
                self._end()
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
            RuntimeError: If there is no model to draw, as outside `watch`.
            ValueError: If the template has a counter that is not given, or lacks one that is.
            ImageSaverError: If the snapshot fails, under `on_error="raise"`.
        """
        if self.model is None:
            raise RuntimeError("`save` needs a model: call it inside `with saver.watch(model):`.")
        given = {"epoch": epoch, "batch": batch, "step": step}
        known = {name: int(value) + 1 for name, value in given.items() if value is not None}
        self._template.check_counters(known)
        if self._fit_begins:
            self._fit_begins = False
            self._epochs_before = self._epochs_done if epoch == 0 else 0
            again = step is not None and step < self._steps_done
            self._steps_before = self._steps_done if again else 0
        if epoch is not None:
            known["epoch"] += self._epochs_before
            self._epochs_done = max(self._epochs_done, known["epoch"])
        if step is not None:
            known["step"] += self._steps_before
            self._steps_done = max(self._steps_done, known["step"])
        self._hear()
        if not self._ready:
            self._rehearse()
        self._snapshot({"epoch": 0, "batch": 0, "step": 0, **known}, plain_logs(logs))

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        if self._draws is not None and not isinstance(self._draws, str):
            raise TypeError(
                f"ImageSaver(model={self._draws!r}) cannot be copied or pickled: the copy would hold "
                "a model that never trains. Pass the name of an attribute, such as "
                'model="generator".'
            )
        hooks = ("on_train_batch_begin", "on_train_batch_end")
        state = {name: value for name, value in self.__dict__.items() if name not in hooks}
        for name in ("model", "_model", "params", "_session"):
            if name in state:
                state[name] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()
        if self._schedule.every_batches is not None:
            self._hook_batches()

    # The run

    def _begin(self, epoch: int, *, scoped: bool = False) -> None:
        """Begin, or go on with, the run, now that the first epoch is known."""
        trained = self.model
        self._writes = workers.check_writer(trained)
        check_call(self._draws, trained, self._pipeline.has_predict)
        self._epochs_before = self._epochs_done if epoch == 0 else 0
        steps = self._claim(0 if self._begun else epoch, scoped)
        if epoch > 0 and not self._begun:
            counted = epoch * (self._steps_per_epoch() or 0)
            # By batches the newest entry may be from before its epoch's end.
            by_epochs = self._schedule.by_epochs and steps
            self._step_before = steps if by_epochs else max(steps, counted)
        initial = self._save_initial and epoch == 0 and not self._begun
        # In Keras 3 the weights do not depend on when a model is built; in Keras 2 they do.
        built = self._model_is_built() or (initial and BUILDS_AT_ANY_TIME)
        if initial and not built:
            self._abandon()
            raise ValueError(
                "`save_initial` must be False for a model that is not built, got True: drawing it "
                "would build it, which changes the weights that it is trained from. Call the model "
                "once on data of its shape, or pass save_initial=False."
            )
        drawing = None
        if (built or not self._rehearse_first) and not self._ready:
            drawing = self._rehearse(whole=initial)
        self._begun = True
        if initial:
            self._snapshot({"epoch": 0, "batch": 0, "step": 0}, {}, drawing)

    def _claim(self, epochs_done: int, scoped: bool) -> int:
        """Take the run's folder; return the steps of the run before, if its record tells."""
        if not self._writes:
            return 0
        if self._session is None:
            self._session = Session(
                self._template,
                self._make,
                say=say,
                background=self._background,
                previous=self._previous,
                page=_begin_page if self._page else None,
                scoped=scoped,
                alone=workers.is_alone(self.model),
            )
        try:
            start = self._session.open(
                self._began, self._pipeline.samples, epochs_done, self._schedule.epoch_is_due
            )
            for text in start.warnings:
                warnings.warn(text, stacklevel=2)
        except Exception:
            self._abandon()
            raise
        self._pipeline.samples = start.samples
        return start.steps

    def _abandon(self) -> None:
        """Leave the folder as it was, after a failed start."""
        if self._session is not None and not self._ready:
            self._session.abandon()
            self._session = None

    def _rehearse(self, *, whole: bool = False) -> Drawing | None:
        """Go the whole way once, then begin the record; nothing is moved before that."""
        drawing = None
        try:
            if self._rehearse_first:
                drawing = self._rehearsal(whole)
            if self._session is not None:
                self._session.begin(self._pipeline.samples)
        except Exception:
            self._abandon()
            raise
        self._ready = True
        return drawing if whole else None

    def _rehearsal(self, whole: bool) -> Drawing:
        started = time.monotonic()
        trained = self.model
        model = find_model(self._draws, trained)
        drawing, findings = self._pipeline.rehearse(model, trained, whole=whole)
        for finding in findings:
            # What an untrained model draws is no news; what it is shown stays as it is.
            if finding.panel in ("input", "target") and self._report.is_news(
                finding.kind, finding.panel
            ):
                warnings.warn(finding.text, stacklevel=2)
        seconds = time.monotonic() - started
        if seconds > _LONG_REHEARSAL_S:
            logger.warning(
                "The rehearsal before training took %.0f s; rehearse=False skips it.", seconds
            )
        return drawing

    def _snapshot(
        self, counters: dict[str, int], logs: dict[str, Any], drawing: Drawing | None = None
    ) -> None:
        """Draw on this thread, and have the rest done behind it; `_hear` learns what came of it."""
        if not self._ready:
            self._rehearse()
        job = Job(Moment(**counters), logs, self._template.text)
        try:
            job = replace(job, path=self._path(counters, logs))
            if drawing is None:
                trained = self.model
                drawing = self._pipeline.draw(find_model(self._draws, trained), trained)
            if self._pipeline.renders_by_user:
                drawing.render()
        except Exception as error:
            if self._session is not None:
                self._session.miss(job, error)
        else:
            if self._session is not None:
                self._session.submit(replace(job, drawing=drawing))
        if not self._background:
            self._hear()

    def _make(self, job: Job) -> Saved:
        """Map, tile, encode and write one snapshot."""
        picture = self._pipeline.compose(job.drawing)
        explained = {**job.moment._asdict(), "logs": json_logs(job.logs)}
        self._pipeline.write(job.path, picture.image, job.drawing, explained)
        image = picture.image if self._listeners else None
        return Saved(picture.layout.geometry(), image, picture.findings)

    def _path(self, counters: dict[str, int], logs: dict[str, Any]) -> str:
        path, missing = self._template.path(counters, logs)
        if missing and logs and self._report.is_news("field", *missing):
            logger.warning(
                "`filepath` has fields that `logs` does not have, or not as numbers: %s. The "
                "picture is kept as %s. Fields are epoch, batch, step, %s.",
                ", ".join(missing),
                path,
                ", ".join(logs),
            )
        return path

    def _hear(self) -> None:
        """Learn what came of the snapshots before."""
        if self._session is not None:
            self._report.hear(self._session.collect())

    def _end(self) -> None:
        """Write what is queued, let the folder go, and sum up what was missed."""
        answered = self._session is None or self._session.close()
        try:
            self._hear()
        finally:
            if not answered:
                logger.warning(
                    "Storage does not answer: the last snapshots in %s may be missing.",
                    self._template.folder,
                )
            self._report.sum_up()
            self._report.close()

    def _counters(self) -> dict[str, int]:
        return {
            "epoch": self._epoch + 1,
            "batch": self._batch,
            "step": self._step_before + self._batch,
        }

    def _steps_per_epoch(self) -> int | None:
        steps = (self.params or {}).get("steps")
        return None if steps is None else int(steps)

    def _model_is_built(self) -> bool:
        """Tell whether the model can be run without being built, which would change its weights."""
        trained = self.model
        return trained is not None and is_built(self._draws, trained)

    def _hooks_are_concurrent(self) -> bool:
        """Tell whether Keras may call batch hooks from another thread, as on JAX and PyTorch."""
        return self._schedule.every_batches is None and tf.keras.backend.backend() != "tensorflow"


def _begin_page(folder: str) -> Mirror:
    from keras_image_saver.viewers.page import Page

    return Page(folder, say).follow


def _check_run_arguments(on_error: Any, previous: Any, listeners: Any) -> None:
    check_choice("on_error", on_error, ("warn", "raise"))
    check_choice("previous", previous, ("keep", "delete"))
    if not isinstance(listeners, (list, tuple)) or not all(map(callable, listeners)):
        raise TypeError(f"`listeners` must be a list or tuple of functions, got {listeners!r}.")


def _check_arguments(model: Any, predict: Any, output: Any, render: Any, batch_size: Any) -> None:
    if not (model is None or isinstance(model, (str, tf.keras.layers.Layer))) or model == "":
        raise TypeError(
            "`model` must be None, the name of an attribute of the model in training, or a Keras "
            f"model, got {model!r}."
        )
    if predict is not None and not callable(predict):
        raise TypeError(f"`predict` must be a function predict(model, inputs), got {predict!r}.")
    if not (output is None or isinstance(output, str) or is_int(output)):
        raise TypeError(f"`output` must be a name, an index or None, got {output!r}.")
    if isinstance(render, type) or not (
        render is None or callable(render) or hasattr(render, "bind")
    ):
        raise TypeError(
            "`render` must be Images(...), Segmentation(...) or a function render(batch), got "
            f"{render!r}."
        )
    check_int("batch_size", batch_size, 1)
