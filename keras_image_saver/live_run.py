"""One run while its model trains: begun, drawn, written, and told of."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from keras_image_saver.drawer import Drawer
from keras_image_saver.model import backend, workers
from keras_image_saver.model.lookup import look_up
from keras_image_saver.model.optimizers import about_training
from keras_image_saver.model.own_metrics import check_names
from keras_image_saver.model.weights import Weights
from keras_image_saver.picture.compose import Drawing
from keras_image_saver.picture.decoder import read_explanation
from keras_image_saver.progress import Moment
from keras_image_saver.report import Report, say, warn
from keras_image_saver.run.bystander import Bystander
from keras_image_saver.run.job import Job
from keras_image_saver.run.mirror import Mirror, nobody
from keras_image_saver.run.run_file import State, plain
from keras_image_saver.run.session import Session
from keras_image_saver.settings import Settings, about_settings

_LONG_REHEARSAL_S = 10.0
# Rounding may take a pixel to its neighbour.
_LEAST_DIFFERENCE = 1


class LiveRun:
    """What belongs to one run while its model trains; a copy of a saver begins another one.

    `trained` is the model in training, asked for anew at each call: on JAX it holds the values of
    now only once Keras was asked for it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._template = settings.template
        self._report = Report(raises=settings.on_error == "raise", listeners=settings.listeners)
        self._samples = settings.samples
        self._pipeline = settings.pipeline
        self._session: Session | Bystander | None = None
        self._drawer: Drawer | None = None
        self._weights = Weights(settings.weights)
        self._measuring = settings.pipeline.new_measuring(settings.samples)
        self._is_watched_anew = False

    @property
    def is_ready(self) -> bool:
        """Whether snapshots can be taken: the rehearsal is over, and the record has begun."""
        return self._session is not None and self._session.has_begun

    def is_drawable(self, trained: Any) -> bool:
        """Tell whether the model can be run without being built, which would change its weights."""
        return trained is not None and look_up(self._settings.model, trained).is_built

    def fix_path(self) -> None:
        """Let a new run stand where its path leads now, whatever becomes of the working folder."""
        if self._session is None:
            self._template = self._settings.template.absolute()

    def begin(self, trained: Any, order: int, epoch: int, *, scoped: bool = False) -> int | None:
        """Take the run's folder, or go on in it, and rehearse if the model can be run already.

        Args:
            trained: The model in training.
            order: When training began, by `next_order`.
            epoch: With which it begins, as Keras counts it: a run that is new here resumes there.
            scoped: Whether `close` is certain to be called, as in `watch`.

        Returns:
            The steps of a run that is resumed, 0 if its record does not tell; None for another one.
        """
        settings = self._settings
        initial = settings.save_initial and epoch == 0 and not self.is_ready
        drawn = look_up(
            settings.model, trained
        )  # what is wrong with it is said before the folder is
        if settings.pipeline.predict is None:
            drawn.check_call(settings.model)
        check_names(settings.pipeline.metrics, trained)
        averages = self._weights.check(drawn)
        if averages is not None and self._report.is_news("averages"):
            warn(averages)
        self._is_watched_anew = scoped
        session = self._session = self._session or self._new_session(trained, scoped=scoped)
        drawing = None
        with self._abandoned_on_failure():
            start = session.open(order, self._samples, epoch, settings.schedule.epoch_is_due)
            for text in start.warnings:
                warn(text)
            self._samples = start.samples
            self._pipeline = self._pipeline.going_on(start.geometry)
            # Keras 3 draws a layer's seeds when the layer is made, so its weights do not depend on
            # when a model is built; those of Keras 2 do.
            drawable = self.is_drawable(trained) or (initial and backend.KERAS_3)
            if initial and not drawable:
                raise ValueError(
                    "`save_initial` must be False for a model that is not built, got True: drawing "
                    "it would build it, which changes the weights that it is trained from. Call the "
                    "model once on data of its shape, or pass save_initial=False."
                )
            if not self.is_ready and (drawable or not settings.rehearse):
                drawing = self.rehearse(trained, warn, whole=initial)
        self._report.open()
        if initial:
            self.snapshot(trained, Moment(), {}, drawing)
        return start.steps if start.resumed else None

    def rehearse(
        self, trained: Any, tell: Callable[[str], None] = say, *, whole: bool = False
    ) -> Drawing | None:
        """Go the whole way once, then begin the record; nothing is moved before that.

        Args:
            trained: The model in training.
            tell: Tells the user something, in the way that fits the time.
            whole: Whether to draw all samples.

        Returns:
            What was drawn, where that was all samples.
        """
        with self._abandoned_on_failure():
            drawing = self._rehearsal(trained, tell, whole) if self._settings.rehearse else None
            if self._session is not None:
                self._session.begin(self._samples, None if drawing is None else drawing.bound)
        return drawing if whole else None

    def snapshot(
        self, trained: Any, moment: Moment, logs: Mapping[str, Any], drawing: Drawing | None = None
    ) -> None:
        """Draw on this thread, and have the rest done behind it; `report_finished` tells of it."""
        session = self._session
        if session is None:
            raise RuntimeError(
                "No run has begun: `watch` begins one, and so does `on_epoch_begin`."
            )
        if not self.is_ready:
            self.rehearse(trained)
        twice = sorted({*self._settings.pipeline.metrics} & {*logs})
        if twice and self._report.is_news("metrics", *twice):
            say(
                f"`metrics` has names of logs, {', '.join(twice)}: both are recorded, each in its place."
            )
        job = Job(moment, logs, self._template.text)
        try:
            job = replace(job, path=self._path(moment, logs))
            if drawing is None:
                drawer = self._drawer_for(trained)
                drawing = drawer.draw()
                self._tell_of_binding(drawing, say)
                for text in drawer.changes():
                    if self._report.is_news("range", text):
                        say(text)
            job = replace(job, drawing=drawing)
        except Exception as error:
            session.miss(job, error)
        else:
            session.submit(job)
        if not self._settings.background:
            self.report_finished()

    def catch_up(self, trained: Any) -> None:
        """Between batches: say what there is to say, and rehearse a model that is built only now."""
        self.report_finished()
        if not self.is_ready:
            self.rehearse(trained)

    def report_finished(self, undecided: Exception | None = None) -> None:
        """Say what came of the snapshots before, and tell the listeners.

        Args:
            undecided: Why nothing tells whether the epoch that begins is due, so that it is.
        """
        if undecided is not None:
            self._report.fail("schedule", f"This epoch has a snapshot: {undecided}", undecided)
        if self._session is not None:
            self._report.report_finished(self._session.collect())

    def close(self, *, failed: bool = False) -> None:
        """Write what is queued, let the folder go, and sum up what was missed."""
        state: State = "failed" if failed else "finished"
        session, answered = self._session, True
        try:
            if session is not None:
                session.flush()
            self.report_finished()  # before the folder is let go: what listeners have had may go too
        finally:
            answered = session is None or session.close(state)
            if not answered:
                say(
                    "Storage does not answer: the last snapshots in "
                    f"{self._template.folder} may be missing."
                )
            self._report.sum_up()
            self._report.close()

    def _new_session(self, trained: Any, *, scoped: bool) -> Session | Bystander:
        settings = self._settings
        writes = workers.check_writer(trained)
        alone = self._report.is_alone = workers.is_alone(trained)
        if not writes:
            return Bystander()
        if settings.on_error == "raise" and not alone:
            warn(
                '`on_error="raise"` raises what fails in drawing, on each worker; what fails in writing '
                "or in a listener is logged, since the other workers cannot know of it."
            )
        self._template = self._template.absolute()  # for hooks that are called by hand
        return Session(
            self._template,
            # How the run is laid out is known once its folder was looked into.
            lambda job: self._pipeline.save(job, measuring=self._measuring),
            say=say,
            background=settings.background,
            previous=settings.previous,
            page=_follow_pages(self._template.folder, settings.page),
            about={**about_settings(settings), "training": plain(about_training(trained))},
            explain=read_explanation,
            retention=settings.retention,
            scoped=scoped,
            alone=alone,
        )

    @contextlib.contextmanager
    def _abandoned_on_failure(self) -> Iterator[None]:
        """Leave the folder as it was, after a failed start."""
        try:
            yield
        except BaseException:  # also an interrupt, which a slow sampler invites
            if self._session is not None and not self._session.has_begun:
                self._session.abandon()
                # The next start may find other samples in the folder than these were.
                self._session = self._drawer = None
                self._samples = self._settings.samples
                self._pipeline = self._settings.pipeline
            raise

    def _rehearsal(self, trained: Any, tell: Callable[[str], None], whole: bool) -> Drawing:
        started = time.monotonic()
        alone = workers.is_alone(trained)
        found = self._pipeline.rehearse(self._drawer_for(trained), whole=whole, twice=alone)
        drawing = found.drawing
        self._tell_of_binding(drawing, tell)
        for finding in found.findings:
            # What an untrained model draws is no news; what it is shown stays as it is.
            shown = finding.panel in ("input", "target", *drawing.bound.fixed)
            if shown and self._report.is_news(finding.kind, finding.panel):
                tell(finding.text)
        if found.difference is not None and found.difference > _LEAST_DIFFERENCE:
            tell(
                "Two passes over the same samples with the same weights draw pixels that differ by up "
                f"to {found.difference} of 255, so that pictures of different epochs cannot be "
                "compared. Something draws from a global generator: give it a seeded one of its own "
                "(in a layer keras.random.SeedGenerator(1) or tf.random.Generator.from_seed(1), in "
                "`predict` or `render` np.random.default_rng(1) made at each call), or pass the "
                "noise in `samples`."
            )
        elif found.difference is None and alone:
            say(
                f"The first pass took {found.seconds:.0f} s, so no second one was made to see "
                "whether both draw the same."
            )
        seconds = time.monotonic() - started
        if seconds > _LONG_REHEARSAL_S:
            say(f"The rehearsal before training took {seconds:.0f} s; rehearse=False skips it.")
        return drawing

    def _drawer_for(self, trained: Any) -> Drawer:
        drawn = look_up(self._settings.model, trained)
        earlier = self._drawer
        if earlier is None or self._is_watched_anew or not earlier.draws(drawn):
            self._is_watched_anew = False
            self._drawer = self._pipeline.bind(drawn, self._samples, self._weights, earlier)
            return self._drawer
        return earlier

    def _tell_of_binding(self, drawing: Drawing, tell: Callable[[str], None]) -> None:
        """Tell what the renderer met when it was bound, in the way that fits the time."""
        for text in drawing.bound.warnings:
            if self._report.is_news("binding", text):
                tell(text)

    def _path(self, moment: Moment, logs: Mapping[str, Any]) -> str:
        path, missing = self._template.path(moment._asdict(), logs)
        if missing and logs and self._report.is_news("field", *missing):
            say(
                "`filepath` has fields that `logs` does not have, or not as numbers: "
                f"{', '.join(missing)}. The picture is kept as {path}. Fields are epoch, batch, "
                f"step, {', '.join(logs)}."
            )
        return path


def _follow_pages(folder: str, page: bool) -> Mirror:
    """Return what keeps the page of the run up to date, and the list of runs that it is in."""
    from keras_image_saver.viewers.comparison.listing import ListedRun
    from keras_image_saver.viewers.page import Page

    return ListedRun(folder, say, Page(folder, say).follow if page else nobody).follow
