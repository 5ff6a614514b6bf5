"""Listeners: a run's grids in TensorBoard, and under a notebook's cell.

`ImageSaver(listeners=[...])` calls them with each `Snapshot`, on the training thread.
"""

import base64
import html
import os
import warnings
from typing import Any, Literal

from keras_image_saver.arrays import UInt8Array
from keras_image_saver.checks import check_choice, check_int
from keras_image_saver.escapes import escaped
from keras_image_saver.picture.encoder import encode_image
from keras_image_saver.run.record import Snapshot
from keras_image_saver.run.storage import check_path

# `DataClass` of TensorBoard's `summary.proto`: what a summary of its plug-ins holds.
_SCALAR, _BLOB_SEQUENCE = 1, 3

_CLASS = "keras-image-saver"
# The second part moves the output under those that come after it, as the progress bar does: a cell's
# outputs stand in the order in which they were made, and one that is made later tears the bar in two.
# `jp-` is of JupyterLab's classes, which nbconvert has too; the others are of its classic template.
_OUTPUTS, _OUTPUT = ":is(.jp-OutputArea, .output)", ":is(.jp-OutputArea-child, .output_area)"
_STYLE = f"""
.{_CLASS} {{ display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start }}
.{_CLASS} figure {{ margin: 0; min-width: 0 }}
.{_CLASS} img {{ max-width: 100%; margin: 0; image-rendering: pixelated }}
.{_CLASS} table {{ margin: 0; border-collapse: collapse; font-variant-numeric: tabular-nums }}
.{_CLASS} th {{ font-weight: normal }}
.{_CLASS} td {{ text-align: right }}
{_OUTPUTS}:has(> {_OUTPUT} .{_CLASS}) {{ display: flex; flex-direction: column }}
{_OUTPUTS}:has(> {_OUTPUT} .{_CLASS}) > {_OUTPUT} {{ flex: none }}
{_OUTPUTS} > {_OUTPUT}:has(.{_CLASS}) {{ order: 1 }}
"""


class TensorBoardImages:
    """Writes each grid to TensorBoard's IMAGES tab; needs no `tensorboard` package to do so.

    The means of `metrics` stand beside it as scalars, named after the tag, such as `samples/mae`. All
    is in the log as soon as the grid is in its file, and the log is closed when training ends; training
    on goes on in another file of the same folder. TensorBoard itself shows 10 images of a tag, unless
    it is started with `--samples_per_plugin images=1000`.

    Example:
        ```python
        ImageSaver("runs/dcgan", noise, listeners=[TensorBoardImages("logs/dcgan")])
        ```

    Args:
        log_dir: The folder of the log; any `tf.io.gfile` path.
        tag: The name over the images.
        step: Where they stand: "step", at the run's step, or at its epoch in a loop that counts no
            steps; or "epoch", at the epoch as Keras's own `epoch_loss` counts it, from 0. Then the
            untrained model's picture, which has no place there, has a tag of its own, such as
            `samples/untrained`, and pictures from within an epoch stand at that epoch.

    Raises:
        TypeError: If `log_dir` is no path, or `tag` no text.
        ValueError: If `step` is neither.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        tag: str = "samples",
        *,
        step: Literal["step", "epoch"] = "step",
    ) -> None:
        if not isinstance(tag, str) or not tag:
            raise TypeError(f"`tag` must be a text, not empty, got {tag!r}.")
        self.log_dir = check_path(log_dir, "log_dir")
        check_choice("step", step, ("step", "epoch"))
        self.tag = tag
        self.step = step
        self._writer: Any = None

    def __call__(self, snapshot: Snapshot) -> None:
        import tensorflow as tf

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(self.log_dir)
        image = _image(snapshot)
        height, width = image.shape[:2]
        # What the images plug-in reads: the size as text, then the files.
        content = [str(width), str(height), encode_image(image, "png")]
        images, scalars = (
            tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": plugin}, data_class=kind)
            for plugin, kind in (("images", _BLOB_SEQUENCE), ("scalars", _SCALAR))
        )
        tag, step = self._place(snapshot)
        # Keras's own TensorBoard callback leaves recording switched off between its batches.
        with self._writer.as_default(step), tf.summary.record_if(True):
            tf.summary.write(tag, tf.constant(content), step, images)
            for name, found in snapshot.summary.items():
                mean = tf.constant(found["mean"], tf.float32)
                # `tf.summary.scalar` would need the package `tensorboard`.
                tf.summary.write(f"{tag}/{name}", mean, step, scalars)
        self._writer.flush()

    def _place(self, snapshot: Snapshot) -> tuple[str, int]:
        """Return under which tag, and at which step of TensorBoard's, a snapshot stands."""
        if self.step == "step":
            return self.tag, snapshot.step or snapshot.epoch
        if snapshot.epoch == 0:
            return f"{self.tag}/untrained", 0
        return self.tag, snapshot.epoch - 1

    def close(self) -> None:
        """Close the log; a later snapshot opens another."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __getstate__(self) -> dict[str, Any]:
        """A copy writes a log file of its own."""
        return {**self.__dict__, "_writer": None}


class NotebookDisplay:
    """Shows the newest grid, with its logs and measures, under the cell that trains: one output.

    The output is made as training begins, before the first line of Keras's progress bar, which it would
    tear in two else, and is updated in place. In JupyterLab, Notebook 7 and pages that nbconvert makes
    of them it stands under the bar, elsewhere above it. Enlarged grids stay pixelated. Where there is no
    notebook, a warning says so and nothing is shown.

    Example:
        ```python
        ImageSaver("runs/dcgan", noise, listeners=[NotebookDisplay(width=800)])
        ```

    Args:
        width: Of the grid on the page, in its pixels. None: that of the picture.

    Raises:
        ImportError: If IPython is missing: the extra `notebook`.
        ValueError: If `width` is not positive.
    """

    def __init__(self, width: int | None = None) -> None:
        check_int("width", width, 1, optional=True)
        if _kernel() is None:
            warnings.warn(
                "NotebookDisplay shows nothing here: this is not a notebook.", stacklevel=2
            )
        self.width = width
        self._cell: int | None = None
        self._display: Any = None

    def open(self) -> None:
        """Make the output, unless the cell has one: nothing of Keras's stands there yet."""
        shell = _kernel()
        if shell is not None and not self._is_in(shell):
            self._show(shell, "<p>No picture yet.</p>")

    def __call__(self, snapshot: Snapshot) -> None:
        shell = _kernel()
        if shell is not None:
            self._show(shell, _figure(snapshot, self.width) + _table(snapshot))

    def _is_in(self, shell: Any) -> bool:
        # A cell that is run again has a new number: its earlier output is gone.
        return self._display is not None and self._cell == shell.execution_count

    def _show(self, shell: Any, content: str) -> None:
        from IPython.display import HTML, display

        shown = HTML(f'<style>{_STYLE}</style><div class="{_CLASS}">{content}</div>')
        if self._is_in(shell):
            self._display.update(shown)
        else:
            self._cell = shell.execution_count
            self._display = display(shown, display_id=True)

    def __getstate__(self) -> dict[str, Any]:
        """A copy has an output of its own."""
        return {**self.__dict__, "_display": None}


def _figure(snapshot: Snapshot, width: int | None) -> str:
    image = _image(snapshot)
    data = base64.b64encode(encode_image(image, "png")).decode("ascii")
    name = f"epoch {snapshot.epoch}" + (f", step {snapshot.step}" if snapshot.step else "")
    return (
        f'<figure><img alt="{name}" style="width: {width or image.shape[1]}px" '
        f'src="data:image/png;base64,{data}"><figcaption>{name}</figcaption></figure>'
    )


def _table(snapshot: Snapshot) -> str:
    """Return the logs, and the means of measures, a row each; nothing where there are none."""
    values = {**snapshot.logs, **{name: one["mean"] for name, one in snapshot.summary.items()}}
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left">{_text(name)}</th><td>{_text(value)}</td></tr>'
        for name, value in values.items()
    )
    return f"<table><tbody>{rows}</tbody></table>" if rows else ""


def _text(value: Any) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return html.escape(escaped(shown))


def _image(snapshot: Snapshot) -> UInt8Array:
    if snapshot.image is None:
        raise ValueError(
            f"`snapshot` must have its image, as listeners get it, got that of epoch "
            f"{snapshot.epoch} without. One that is read from a record has its `path` only."
        )
    return snapshot.image


def _kernel() -> Any:
    """Return IPython's shell, if it is a notebook's.

    Raises:
        ImportError: If IPython is missing.
    """
    try:
        from IPython import get_ipython
    except ImportError as error:
        raise ImportError(
            "NotebookDisplay needs IPython: pip install keras-image-saver[notebook]"
        ) from error
    shell = get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None
