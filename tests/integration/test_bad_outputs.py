"""Outputs, ranges and targets that cannot be drawn: refused before the first batch."""

import numpy as np
import pytest
import tensorflow as tf
from support.models import autoencoder, class_ids, dense_end, floats, photos, unet
from support.refusals import assert_refused, case, rendered_by, saver_of

from keras_image_saver import Images, ImageSaver, Segmentation, latents

keras = tf.keras
layers = keras.layers

X = floats(4, 8, 8, 1)
X3 = floats(4, 8, 8, 3)
IDS = class_ids(4)
LAST_ROW = np.arange(4)[:, None, None] == 3


RANGES = [
    case(
        "2 channels",
        lambda: dense_end("sigmoid", 2),
        saver_of(X),
        r"C in \{1, 3, 4\}",
        r"\(4, 8, 8, 2\)",
    ),
    case(
        "5 channels",
        lambda: dense_end("sigmoid", 5),
        saver_of(X),
        r"C in \{1, 3, 4\}",
        r"\(4, 8, 8, 5\)",
    ),
    case(
        "reversed value range",
        autoencoder,
        lambda folder: ImageSaver(folder, X, render=Images((1.0, -1.0))),
        r"`value_range` must be \(low, high\) with low < high",
        r"got \(1\.0, -1\.0\)",
    ),
    case(
        "equal value range",
        autoencoder,
        lambda folder: ImageSaver(folder, X, render=Images((2, 2))),
        r"`value_range` must be \(low, high\) with low < high",
        r"got \(2, 2\)",
    ),
    case(
        "reversed input range of a segmenter",
        autoencoder,
        lambda folder: ImageSaver(folder, X, render=Segmentation(input_range=(1, 0))),
        r"`input_range` must be \(low, high\) with low < high",
        r"got \(1, 0\)",
    ),
    case(
        "float output with no range to be known, of images",
        lambda: dense_end(None),
        saver_of(X),
        r"`value_range` must be given.*\(-1, 1\)",
        r"values seen here go from -?\d.* to -?\d",
    ),
    case(
        "float output with no range to be known, of latents",
        lambda: keras.Sequential(
            [keras.Input((4,)), layers.Dense(64), layers.Reshape((8, 8, 1))],
        ),
        saver_of(latents(3, 4)),
        r"`value_range` must be given.*\(-1, 1\)",
        r"values seen here go from -?\d.* to -?\d",
    ),
    case(
        "float output with predict",
        autoencoder,
        saver_of(X.reshape(4, 64), predict=lambda model, x: np.asarray(x).reshape(-1, 8, 8)),
        "`value_range` must be given",
        r"go from 0\.\d+ to 0\.\d+",
    ),
    case(
        "3-class softmax under Images",
        lambda: unet(3, "softmax"),
        saver_of(X3),
        r"softmax.*render=Segmentation\(",
        "`render` is Images",
    ),
    case(
        "value_range of a panel that is not there",
        autoencoder,
        rendered_by(X, Images({"predictions": (0, 1)})),
        "there are: input, prediction, target",
        "'predictions'",
    ),
    case(
        "panel that is not there",
        autoencoder,
        rendered_by(X, Images(panels=("input", "mask"))),
        "there are: input, prediction, target",
        "'mask'",
    ),
    case(
        "targets of another size for Images",
        autoencoder,
        rendered_by((X, floats(4, 6, 6, 1)), Images((0, 1))),
        "targets must be as large as the prediction or the input",
        r"\(4, 6, 6, 1\)",
    ),
    case(
        "output that is no image",
        lambda: keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)]),
        saver_of(X),
        r"\(N, H, W, C\)",
        r"\(4, 3\)",
    ),
]

SEGMENTATION = [
    case(
        "float inputs with no input_range",
        lambda: unet(3, "softmax"),
        rendered_by((X3, IDS), Segmentation(3)),
        r"`input_range` must be given for float32 inputs.*\(0, 255\)",
        r"values seen go from 0\.\d+ to 0\.\d+",
    ),
    case(
        "sigmoid with several channels without multi_label",
        lambda: unet(3, "sigmoid"),
        rendered_by(photos(), Segmentation(3)),
        "`multi_label` must be given",
        "3 channels, got None",
    ),
    case(
        "logits without from_logits, one channel",
        lambda: unet(1, None),
        rendered_by(X3 * 100, Segmentation(input_range=(0, 100))),
        r"`from_logits` must be True.*Pass from_logits=True",
        r"got False.* go from -?\d.* to -?\d",
    ),
    case(
        "logits without from_logits, multi_label",
        lambda: unet(3, None),
        rendered_by(X3 * 100, Segmentation(multi_label=True, input_range=(0, 100))),
        r"`from_logits` must be True.*Pass from_logits=True",
        r"got False.* go from -?\d.* to -?\d",
    ),
    case(
        "from_logits for a model that ends in a sigmoid",
        lambda: unet(1, "sigmoid"),
        rendered_by(photos(), Segmentation(from_logits=True)),
        "`from_logits` must be False for a model that ends in a sigmoid",
        "got True",
    ),
    case(
        "class ids beyond num_classes",
        lambda: unet(3, "softmax"),
        rendered_by((photos(), np.where(IDS == 2, 255, IDS)), Segmentation(3)),
        r"`num_classes` must cover all class ids.*ignore_index=255",
        r"got 3 classes.*ids 255 in \d+ of 256 pixels",
    ),
    case(
        "class ids beyond num_classes in a later chunk",
        lambda: unet(3, "softmax"),
        rendered_by((photos(), np.where(LAST_ROW, 255, IDS)), Segmentation(3), batch_size=2),
        r"`num_classes` must cover all class ids.*ignore_index=255",
        r"got 3 classes.*ids 255 in 64 of",
    ),
    case(
        "class ids beyond num_classes, with predict",
        lambda: unet(3, "softmax"),
        rendered_by(
            (photos(), np.where(LAST_ROW, 255, IDS)),
            Segmentation(3),
            predict=lambda model, x: model(x, training=False),
        ),
        r"`num_classes` must cover all class ids.*ignore_index=255",
        r"got 3 classes.*ids 255 in 64 of",
    ),
    case(
        "class ids below 0",
        lambda: unet(3, "softmax"),
        rendered_by((photos(), IDS - 1), Segmentation(3)),
        "`num_classes` must cover all class ids",
        r"ids -1 in \d+ of 256 pixels",
    ),
    case(
        "num_classes that the scores do not have",
        lambda: unet(3, "softmax"),
        rendered_by(photos(), Segmentation(num_classes=5)),
        "`num_classes` must fit the outputs",
        r"got 5 .*\(4, 8, 8, 3\)",
    ),
    case(
        "targets of another size",
        lambda: unet(3, "softmax"),
        rendered_by((photos(), class_ids(4, size=6)), Segmentation(3)),
        "[Tt]argets must be as large as the scores or the input",
        r"\(4, 6, 6\)",
    ),
    case(
        "targets of another rank",
        lambda: unet(3, "softmax"),
        rendered_by((photos(), np.zeros((4, 3), np.int32)), Segmentation(3)),
        r"[Tt]argets must be class ids \(N, H, W\)",
        r"\(4, 3\)",
    ),
    case(
        "one-hot targets of too many classes",
        lambda: unet(3, "softmax"),
        rendered_by((photos(), np.eye(5, dtype=np.float32)[IDS]), Segmentation(3)),
        r"one-hot \(N, H, W, 3\)",
        r"\(4, 8, 8, 5\)",
    ),
    case(
        "palette with too few colours",
        lambda: unet(3, "softmax"),
        rendered_by(photos(), Segmentation(palette=((0, 0, 0), (255, 0, 0)))),
        "`palette` must have a colour for each of the 3 classes",
        "got 2",
    ),
]


@pytest.mark.parametrize(
    "render", [Images((0, 1)), Segmentation(input_range=(0, 1))], ids=["Images", "Segmentation"]
)
def test_outputs_of_five_axes_are_told_of_slices(tmp_path, render):
    model = keras.Sequential([keras.Input((2, 8, 8, 1)), layers.Dense(1, "sigmoid")])
    saver = ImageSaver(tmp_path, floats(3, 2, 8, 8, 1), render=render)
    expected = r"\(3, 2, 8, 8, 1\).*of volumes or clips pass slices=8"
    with pytest.raises(ValueError, match=expected), saver.watch(model):
        pytest.fail("the loop began")


@pytest.mark.parametrize("bad", RANGES)
def test_bad_images_and_ranges(tmp_path, bad):
    assert_refused(tmp_path, *bad)


@pytest.mark.parametrize("bad", SEGMENTATION)
def test_bad_scores_and_targets(tmp_path, bad):
    assert_refused(tmp_path, *bad)
