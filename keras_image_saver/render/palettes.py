"""Palettes: a colour a class, those of well-known data sets, and the names of their classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_image_saver.arrays import Array, UInt8Array, describe
from keras_image_saver.checks import check_int, is_int

_VOC_COLORS = 256

# `VOCinit.m` of the PASCAL VOC2012 devkit; its ids begin with the background.
_VOC_NAMES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)

# By train id: `cityscapesscripts/helpers/labels.py` of the Cityscapes scripts.
_CITYSCAPES = {
    "road": (128, 64, 128),
    "sidewalk": (244, 35, 232),
    "building": (70, 70, 70),
    "wall": (102, 102, 156),
    "fence": (190, 153, 153),
    "pole": (153, 153, 153),
    "traffic light": (250, 170, 30),
    "traffic sign": (220, 220, 0),
    "vegetation": (107, 142, 35),
    "terrain": (152, 251, 152),
    "sky": (70, 130, 180),
    "person": (220, 20, 60),
    "rider": (255, 0, 0),
    "car": (0, 0, 142),
    "truck": (0, 0, 70),
    "bus": (0, 60, 100),
    "train": (0, 80, 100),
    "motorcycle": (0, 0, 230),
    "bicycle": (119, 11, 32),
}

_NAMES = {"voc": _VOC_NAMES, "cityscapes": tuple(_CITYSCAPES)}


def voc_palette(num_classes: int = _VOC_COLORS) -> UInt8Array:
    """Return the colour table of the PASCAL VOC devkit (`VOCcode/VOClabelcolormap.m`).

    The bits of the class id are dealt in turn to red, green and blue, from the highest bit down.

    Args:
        num_classes: Number of colours.

    Returns:
        uint8, shape (num_classes, 3).

    Example:
        >>> voc_palette(4).tolist()
        [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    """
    ids = np.arange(num_classes, dtype=np.int64)
    table = np.zeros((num_classes, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            table[:, channel] |= (((ids >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return table


def check_palette(palette: Any, num_classes: int | None) -> UInt8Array:
    """Return the colours of the classes: uint8, (num_classes, 3); of all that there are for None.

    Raises:
        ValueError: If `palette` is no table of colours, or has too few.
    """
    check_int("num_classes", num_classes, 1, optional=True)
    if isinstance(palette, str) and palette not in _NAMES:
        raise ValueError(
            f'`palette` must be "voc", "cityscapes" or colours of your own, got {palette!r}.'
        )
    if isinstance(palette, str) and palette == "voc":
        return voc_palette(_VOC_COLORS if num_classes is None else num_classes)
    table = as_table(tuple(_CITYSCAPES.values()) if isinstance(palette, str) else palette)
    if table.ndim != 2 or table.shape[1] != 3 or table.dtype.kind not in "ui" or not len(table):
        raise ValueError(
            f"`palette` must be (K, 3) integers from 0 to 255, got {describe(table)}. "
            "For two classes: ((0, 0, 0), (255, 255, 255))."
        )
    colors = as_bytes(table, "palette")
    if num_classes is not None and len(colors) < num_classes:
        raise ValueError(
            f"`palette` must have a colour for each of the {num_classes} classes, got {len(colors)}."
        )
    return colors[:num_classes]


def check_class_names(class_names: Any) -> dict[int, str] | tuple[str, ...] | None:
    """Return names as they were given: by id, or in the order of the classes.

    Raises:
        ValueError: If they are no names, or of no known data set.
    """
    if class_names is None:
        return None
    if isinstance(class_names, str):
        if class_names not in _NAMES:
            raise ValueError(
                '`class_names` must be names, "voc" or "cityscapes", got '
                f'{class_names!r}. Of one class: ("{class_names}",).'
            )
        return _NAMES[class_names]
    try:
        by_id = isinstance(class_names, Mapping)
        names = dict(class_names) if by_id else dict(enumerate(class_names))
    except TypeError:
        names = {}
    are_ids = all(is_int(class_id) for class_id in names)
    if not names or not are_ids or not all(isinstance(x, str) and x for x in names.values()):
        raise ValueError(
            "`class_names` must be a list of names, one a class, or a dict of them by class id, "
            f"got {describe(class_names)}."
        )
    return {int(key): name for key, name in names.items()} if by_id else tuple(names.values())


def names_of_classes(
    class_names: dict[int, str] | tuple[str, ...] | None, count: int, *, has_none: bool
) -> dict[int, str]:
    """Return the name of each class that has one, by id, in the order of ids.

    Args:
        class_names: From `check_class_names`.
        count: The number of classes.
        has_none: Whether class 0 means "none of them", and may go without a name.

    Raises:
        ValueError: If there is another number of names than of classes, or an id that no class has.
    """
    if class_names is None:
        return {}
    if isinstance(class_names, dict):
        unknown = [class_id for class_id in class_names if not 0 <= class_id < count]
        if unknown:
            raise ValueError(
                f"`class_names` must have ids of the {count} classes, 0 to {count - 1}, got "
                f"{', '.join(map(str, unknown))}."
            )
        return dict(sorted(class_names.items()))
    if len(class_names) == count:
        return dict(enumerate(class_names))
    if has_none and len(class_names) == count - 1:
        return dict(enumerate(class_names, 1))
    wanted = f"{count - 1} names, or {count} with one for none of them" if has_none else count
    raise ValueError(
        f"`class_names` must have a name for each class, {wanted}, got {len(class_names)}. A dict "
        "from class id names only some."
    )


def as_table(given: Any) -> Array:
    """Return rows as an array, so that what is none can be described."""
    try:
        return np.asarray(given)
    except ValueError:  # NumPy refuses rows of different lengths; as objects they can be described
        return np.array(given, object)


def as_bytes(table: Array, name: str) -> UInt8Array:
    """Return integers as uint8; a cast alone would wrap what lies outside.

    Raises:
        ValueError: If there is something outside.
    """
    if table.min() < 0 or table.max() > 255:
        raise ValueError(
            f"`{name}` must hold 0 to 255, got values from {table.min()} to {table.max()}."
        )
    return table.astype(np.uint8)
