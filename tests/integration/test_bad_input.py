"""Bad input: what a user sees, before the first batch is trained, with everything left as it was."""

import re

import numpy as np
import pytest
import tensorflow as tf
from support.models import (
    Counter,
    autoencoder,
    class_ids,
    dense_end,
    floats,
    gan,
    names,
    panels,
    photos,
    read,
    unet,
)
from support.refusals import assert_refused, case, rendered_by, saver_of
from support.training import fit_x

from keras_image_saver import Images, ImageSaver, Segmentation, latents, to_uint8

keras = tf.keras
layers = keras.layers

X = floats(4, 8, 8, 1)
X3 = floats(4, 8, 8, 3)
IDS = class_ids(4)


def dataset(*arrays):
    data = arrays if len(arrays) > 1 else arrays[0]
    return tf.data.Dataset.from_tensor_slices(data)


def ragged_rows():
    rows = np.empty(3, object)
    rows[:] = [np.zeros((8, size)) for size in (1, 2, 3)]
    return rows


SAMPLES = [
    case(
        "zero rows",
        autoencoder,
        saver_of(X[:0]),
        "`samples` must have at least one row",
        r"0 rows",
    ),
    case(
        "masked values",
        autoencoder,
        saver_of(np.ma.masked_less(X, 0.5)),
        "`samples` must have no masked values",
        r"shape \(4, 8, 8, 1\).*\.filled",
    ),
    case(
        "over 1,024 rows",
        autoencoder,
        saver_of(np.zeros((1025, 8, 8, 1), np.float32)),
        r"`samples` may have 1,?024 rows at most.*num_samples=",
        "got 1,?025",
    ),
    case(
        "num_samples over 1,024",
        autoencoder,
        saver_of(X, num_samples=1025),
        r"`num_samples` must be an int from 1 to 1024",
        "got 1025",
    ),
    case(
        "dataset of pairs that is not batched",
        autoencoder,
        saver_of(dataset(X, np.arange(4))),
        r"dataset not batched\? Pass dataset\.batch\(",
        "scalar",
    ),
    case(
        "dataset of images that is not batched",
        autoencoder,
        saver_of(dataset(X)),
        r"\.batch\(",
        r"\(?\d+, 8, 1\)",
    ),
    case(
        "dataset of image pairs that is not batched",
        autoencoder,
        saver_of(dataset(X, X)),
        r"\.batch\(",
        r"\(?\d+, 8, 1\)",
    ),
    case(
        "empty dataset",
        autoencoder,
        saver_of(dataset(X).batch(2).take(0)),
        "`samples` is a dataset without a single batch",
        "",
    ),
    case(
        "object array",
        autoencoder,
        saver_of(ragged_rows()),
        "`samples` must be bool, integer, float or string arrays",
        r"shape \(3,\) and dtype object",
        TypeError,
    ),
    case(
        "arrays of different lengths",
        autoencoder,
        saver_of((X, X[:3])),
        "`samples` must have as many rows in every array",
        r"'x': 4, 'y': 3",
    ),
    case(
        "no samples and no predict",
        autoencoder,
        saver_of(None),
        "`samples` must be given unless `predict` is",
        "got None",
    ),
]

FILES = [
    case(
        "unknown suffix",
        autoencoder,
        lambda folder: ImageSaver(folder / "{epoch}.pgn", X),
        r"`filepath` must end in one of \.png, \.jpg",
        r"\.pgn",
    ),
    case(
        "unknown encoder option",
        autoencoder,
        saver_of(X, encoder_options={"optimise": True}),
        "`encoder_options` has no 'optimise' for PNG.*`compress_level`",
        "got {'optimise': True}",
    ),
    case(
        "encoder option of another format",
        autoencoder,
        saver_of(X, encoder_options={"quality": 90}),
        "`encoder_options` has no 'quality' for PNG",
        "got {'quality': 90}",
    ),
    case(
        "encoder option out of range",
        autoencoder,
        saver_of(X, encoder_options={"compress_level": 10}),
        "must be an int from 0 to 9",
        "got 10",
    ),
    case(
        "picture over WebP's size",
        autoencoder,
        lambda folder: ImageSaver(
            folder / "{epoch}.webp", np.zeros((1024, 8, 8, 1), np.float32), columns=1, padding=9
        ),
        "WEBP holds at most 16383 pixels a side",
        r"\d{5} high",
    ),
    case(
        "picture over JPEG's size",
        autoencoder,
        lambda folder: ImageSaver(
            folder / "{epoch}.jpg",
            np.zeros((1000, 8, 8, 1), np.float32),
            columns=1000,
            padding=60,
            render=Images((0, 1), panels=("prediction",)),
        ),
        "JPEG holds at most 65500 pixels a side",
        "92060 wide",
    ),
    case(
        "alpha channel in a JPEG",
        lambda: dense_end("sigmoid", 4),
        lambda folder: ImageSaver(folder / "{epoch}.jpg", X),
        "JPEG has no alpha channel",
        "four channels",
    ),
    case(
        "template with a misspelt counter",
        autoencoder,
        lambda folder: ImageSaver(folder / "{epohc:04d}.png", X),
        r"\{epoch\}, \{batch\}, \{step\} and the keys of `logs`",
        r"got .*\{epohc:04d\}\.png",
    ),
    case(
        "template without a field",
        autoencoder,
        lambda folder: ImageSaver(folder / "picture.png", X),
        r"must have the field `\{epoch\}`.* one name",
        r"got .*picture\.png",
    ),
    case(
        "template that batches share",
        autoencoder,
        lambda folder: ImageSaver(folder / "{epoch}.png", X, every_batches=2),
        r"must have the field `\{step\}`, or `\{epoch\}` and `\{batch\}`",
        r"got .*\{epoch\}\.png",
    ),
    case(
        "template that rounds epochs to one name",
        autoencoder,
        lambda folder: ImageSaver(folder / "{epoch:.0e}.png", X),
        "`filepath` must number each snapshot",
        r"got .*\{epoch:\.0e\}\.png",
    ),
    case(
        "template that is none",
        autoencoder,
        lambda folder: ImageSaver(folder / "{epoch.png", X),
        "`filepath` is no template",
        r"got .*\{epoch\.png",
    ),
    case(
        "template with a positional field",
        autoencoder,
        lambda folder: ImageSaver(folder / "{:04d}.png", X),
        "`filepath` must have named fields",
        r"got .*\{:04d\}\.png",
    ),
]

MODELS = [
    case(
        "model that is misspelt",
        gan,
        saver_of(latents(3, 4), model="generater"),
        "'discriminator', 'generator'",
        "'generater'",
    ),
    case(
        "model that is no model",
        gan,
        saver_of(latents(3, 4), model="latent_dim"),
        "must name an attribute of GAN that is a model",
        "'latent_dim', which is a int",
    ),
    case(
        "GAN without model",
        gan,
        saver_of(latents(3, 4)),
        "GAN has no `call`.*'discriminator', 'generator'.*model='generator'",
        "got model=None",
    ),
    case(
        "output that is not there, of one",
        autoencoder,
        saver_of(X, output=1),
        "`output` must be one of the model's outputs",
        "got 1",
    ),
    case(
        "output that is not there, by name",
        autoencoder,
        saver_of(X, output="mask"),
        "`output` must be one of the model's outputs",
        "got 'mask'",
    ),
    case(
        "predict that drops rows",
        autoencoder,
        rendered_by(X, Images((0, 1)), predict=lambda model, x: x[:0]),
        "`predict` must return a row a sample",
        r"\(0, 8, 8, 1\)",
    ),
    case(
        "render that returns no dict",
        autoencoder,
        rendered_by(X, lambda batch: batch.outputs),
        "`render` must return a dict of images by panel name",
        r"\(4, 8, 8, 1\)",
        TypeError,
    ),
]

ARGUMENTS = [
    ("model", 3, TypeError),
    ("predict", "sample", TypeError),
    ("output", 1.5, TypeError),
    ("render", Images, TypeError),
    ("num_samples", 0, ValueError),
    ("batch_size", 0, ValueError),
    ("every_epochs", 0, ValueError),
    ("every_batches", 2.5, ValueError),
    ("max_to_keep", 0, ValueError),
    ("keep_period", 10, ValueError),
    ("columns", 0, ValueError),
    ("padding", -1, ValueError),
    ("pad_value", 256, ValueError),
    ("on_error", "ignore", ValueError),
]


@pytest.mark.parametrize("bad", SAMPLES)
def test_bad_samples(tmp_path, bad):
    assert_refused(tmp_path, *bad)


@pytest.mark.parametrize("bad", FILES)
def test_bad_templates_and_formats(tmp_path, bad):
    assert_refused(tmp_path, *bad)


@pytest.mark.parametrize("bad", MODELS)
def test_bad_models(tmp_path, bad):
    assert_refused(tmp_path, *bad)


@pytest.mark.parametrize(("name", "value", "error"), ARGUMENTS, ids=[a[0] for a in ARGUMENTS])
def test_bad_arguments_are_refused_at_construction(tmp_path, name, value, error):
    with pytest.raises(error, match=rf"`{name}` must be .*got .*{re.escape(repr(value))}"):
        ImageSaver(tmp_path / "run", X, **{name: value})
    assert names(tmp_path) == []


@pytest.mark.parametrize("below", ["", "deeper/still"], ids=["itself", "above it"])
def test_file_where_the_folder_should_be(tmp_path, below):
    (tmp_path / "run").write_text("in the way")
    assert_refused(
        tmp_path,
        autoencoder,
        lambda folder: ImageSaver(folder / below, X),
        OSError,
        "exists|directory",
        "run",
    )


def test_several_outputs_of_which_none_is_an_image_are_listed(tmp_path):
    inputs = keras.Input((8, 8, 1))
    flat = layers.Flatten(name="code")(inputs)
    model = keras.Model(inputs, [layers.Dense(3, name="label")(flat), flat])
    model.compile("sgd", ["mse", "mse"])
    counter = Counter()
    rule = (
        r"`output` must say which of the model's 2 outputs.*\(4, 3\).*\(4, 64\).*"
        r"Pass output=name, output=index, Images\(panels=\[…\]\)"
    )
    y = [np.zeros((4, 3), np.float32), X.reshape(4, 64)]
    with pytest.raises(ValueError, match=rule):
        model.fit(X, y, callbacks=[ImageSaver(tmp_path / "run", X), counter])
    assert counter.batches == 0
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("activation", "channels", "rule"),
    [("softmax", 3, "ends in a softmax"), (None, 1, "`value_range` must be given")],
    ids=["softmax", "no range"],
)
def test_one_of_several_outputs_that_cannot_be_drawn_names_the_panels_of_the_others(
    tmp_path, activation, channels, rule
):
    inputs = keras.Input((8, 8, 1))
    ends = [("image", "sigmoid", 1), ("other", activation, channels)]
    outputs = [
        layers.Conv2D(channels, 1, activation=activation, name=name)(inputs)
        for name, activation, channels in ends
    ]
    saver = ImageSaver(tmp_path, X)
    refused = pytest.raises(
        ValueError, match=rule + r".*Images\(panels=\['input', 'image'\]\) draws the others"
    )
    with refused, saver.watch(keras.Model(inputs, outputs)):
        pytest.fail("the loop began")


def test_dataset_that_ends_early_is_taken_as_it_is_and_said_once(tmp_path):
    model = autoencoder()
    with pytest.warns(UserWarning, match=r"4 rows, fewer than num_samples=9") as said:
        saver = ImageSaver(tmp_path, dataset(X).batch(3), num_samples=9)
    assert len(said) == 1
    model.fit(X, X, verbose=0, callbacks=[saver])
    found = panels(read(tmp_path / "0001.png"), 4, (8, 8), ("input", "prediction"))
    np.testing.assert_array_equal(found["input"], to_uint8(X))


def test_field_that_only_logs_can_tell_is_left_out_and_logged(tmp_path, lines):
    saver = ImageSaver(tmp_path / "{epoch}-{val_loss:.2f}.png", X)
    autoencoder().fit(X, X, verbose=0, callbacks=[saver])
    assert names(tmp_path) == ["1.png"]
    (line,) = lines()
    assert re.search(r"val_loss.*1\.png.*Fields are epoch, batch, step, loss", line), line


def test_fractional_class_ids_are_rounded_with_one_warning(tmp_path):
    y = IDS.astype(np.float32)
    y[0, 0, 0] = 1.2
    model = unet(3, "softmax")
    saver = ImageSaver(tmp_path, (photos(), y), render=Segmentation(3))
    with pytest.warns(UserWarning, match="1 of 256 class ids .*Use nearest") as said:
        model.fit(X3, IDS, verbose=0, epochs=2, callbacks=[saver])
    # `pytest.warns` hands on what Keras's own reading of a variable warns of, on PyTorch.
    assert len([one for one in said if "__array__" not in str(one.message)]) == 1


@pytest.mark.parametrize("save_initial", [False, True], ids=["", "save_initial"])
def test_dataset_that_is_not_batched_is_refused_before_training(tmp_path, save_initial):
    rows = dataset(X)
    saver = ImageSaver(tmp_path, rows, save_initial=save_initial)
    with pytest.raises(ValueError, match=r"`samples` must be batches.*Pass dataset\.batch\(16\)"):
        fit_x(autoencoder(), saver)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "error", "shown"),
    [
        (["a", "b", "c"], ValueError, "one text a sample, got 3 for 4 samples"),
        ([1, 2, 3, 4], TypeError, r"got 1 \(int\) in it"),
    ],
)
def test_sample_names_that_do_not_fit_are_refused_at_once(tmp_path, names, error, shown):
    with pytest.raises(error, match=f"`sample_names` must .*{shown}"):
        ImageSaver(tmp_path, X, sample_names=names)


def test_sample_names_of_what_predict_alone_draws_are_counted_before_training(tmp_path):
    saver = ImageSaver(
        tmp_path,
        None,
        predict=lambda model, _: X[:3],
        sample_names=["a", "b"],
        render=Images((0, 1)),
    )
    with pytest.raises(ValueError, match=r"`sample_names` must .* got 2 for 3 samples"):
        fit_x(autoencoder(), saver)
    assert names(tmp_path) == []
