"""Run folders as the callback leaves them, made without training."""

import json

import numpy as np
from PIL import Image

from keras_image_saver import encode_image


def geometry(*, tile=(4, 4), columns=2, count=4, panels=("prediction",), padding=0, top=0):
    stride = [tile[0] + padding, tile[1] + padding]
    return {
        "origin": [top + padding, padding],
        "tile": list(tile),
        "stride": stride,
        "columns": columns,
        "count": count,
        "panels": list(panels),
        "enlargement": 1,
    }


def write_run(
    folder, images, *, suffix=".png", logs=None, places=None, about=None, name="0", **changes
):
    """Write a run with one picture an epoch; None is a picture whose file is not there.

    Where `about` says something of the run, there is a `run.json`; `name` is a digit of its id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for epoch, image in enumerate(images, 1):
        file = f"{epoch:04d}{suffix}"
        if image is not None:
            (folder / file).write_bytes(encode_image(image, suffix))
        entry = {
            "format": 1,
            "epoch": epoch,
            "batch": 4,
            "step": epoch * 4,
            "file": file,
            "time": 1.5,
            "logs": logs[epoch - 1] if logs else {"loss": 1 / epoch},
            "missed": False,
            "geometry": places[epoch - 1] if places else geometry(),
        }
        lines.append(json.dumps(entry | changes))
    (folder / "snapshots.jsonl").write_text("".join(line + "\n" for line in lines))
    if about is not None:
        known = {"format": 1, "id": name * 32, "versions": {"keras_image_saver": "0"}}
        (folder / "run.json").write_text(json.dumps(known | about))
    return str(folder)


def flat(value, height=8, width=256, channels=None):
    """One colour all over; the width at which a timelapse enlarges nothing."""
    value = np.atleast_1d(value)
    channels = channels or len(value)
    image = np.empty((height, width, channels), np.uint8)
    image[:] = value
    return image


def decoded(path, mode="RGB"):
    """Every frame as a viewer shows it, and for how many milliseconds."""
    frames, times = [], []
    with Image.open(path) as picture:
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            picture.load()
            frames.append(np.asarray(picture.convert(mode)))
            times.append(picture.info.get("duration"))
    return frames, times
