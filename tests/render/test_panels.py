"""What `Images` and `Segmentation` share."""

import numpy as np
import pytest

from keras_image_saver import Batch, Images, Segmentation
from keras_image_saver.arrays import describe
from keras_image_saver.render.base import OutputInfo
from keras_image_saver.render.panels import check_captions, check_panels, require_chosen
from keras_image_saver.render.sources import Sources, channels_last

ONE = OutputInfo(("prediction",), (None,), 0)
TWO = OutputInfo(("a", "b"), (None, None), 1)
OPEN = OutputInfo(("a", "b"), (None, None), None)


@pytest.mark.parametrize(
    ("first", "shape", "expected"),
    [
        pytest.param(True, (2, 3, 4, 5), (2, 4, 5, 3), id="channels first"),
        pytest.param(False, (2, 3, 4, 5), (2, 3, 4, 5), id="channels last"),
        pytest.param(True, (2, 4, 5), (2, 4, 5), id="no channels"),
    ],
)
def test_channels_last_moves_them_where_they_are_first(first, shape, expected):
    info = OutputInfo(("prediction",), (None,), 0, channels_first=first)
    assert channels_last(np.zeros(shape), info).shape == expected


# Inputs


def test_input_that_is_one_is_it():
    batch = Batch({"x": np.zeros((2, 4, 4, 3))}, None, np.zeros((2, 8, 8, 3)))
    assert Sources(ONE).input(batch) is batch.inputs["x"]


@pytest.mark.parametrize("size", [(4, 4), (4, 5)], ids=str)
def test_input_of_rank_3_is_grey_at_the_predictions_size_and_a_sequence_at_others(size):
    batch = Batch(np.zeros((2, 4, 5)), None, np.zeros((2, *size, 1)))
    found = Sources(ONE).input(batch)
    assert (None if found is None else found.shape) == ((2, 4, 5, 1) if size == (4, 5) else None)


def test_input_by_a_function_may_have_any_size():
    batch = Batch([1, 2], None, np.zeros((1, 9, 9, 1)))
    found = Sources(ONE, lambda inputs: np.full((1, 2, 2), sum(inputs))).input(batch)
    assert found.tolist() == [[[[3], [3]], [[3], [3]]]]


def test_input_that_was_made_of_all_samples_is_taken():
    shown = np.zeros((1, 2, 2, 1), np.uint8)
    sources = Sources(ONE, lambda inputs: pytest.fail("it ran already"))
    assert sources.input(Batch(1, None, None, shown)) is shown


@pytest.mark.parametrize("returned", [None, np.zeros((2, 2)), np.zeros((1, 2, 2, 2))], ids=describe)
def test_input_by_a_function_that_gives_none_shows_it(returned):
    with pytest.raises(ValueError, match=r"`input_image` must return images .*got shape"):
        Sources(ONE, lambda inputs: returned).input(Batch(1, None, None))


@pytest.mark.parametrize("kind", [Images, Segmentation])
def test_images_of_inputs_run_the_users_function_on_copies(kind):
    def negative(inputs):
        inputs *= -1
        return inputs

    inputs = np.ones((2, 3, 3), np.float32)
    images = kind(input_image=negative).images_of_inputs(inputs, ONE)
    assert images.shape == (2, 3, 3, 1)
    assert (images.max(), inputs.min()) == (-1, 1)


@pytest.mark.parametrize(
    ("renderer", "inputs"),
    [
        pytest.param(Images(), np.ones((1, 2, 2, 3)), id="no function"),
        pytest.param(Images(input_image=lambda x: x), None, id="no inputs"),
    ],
)
def test_images_of_inputs_without_a_function_or_inputs_are_none(renderer, inputs):
    assert renderer.images_of_inputs(inputs, ONE) is None


# Targets and outputs

A, B = np.zeros(1), np.ones(1)


@pytest.mark.parametrize(
    ("targets", "info", "expected"),
    [
        pytest.param(A, ONE, A, id="one"),
        pytest.param(A, TWO, A, id="one for two outputs"),
        pytest.param([A, B], TWO, B, id="list"),
        pytest.param({"a": A, "b": B}, TWO, B, id="dict"),
        pytest.param({"b": B, "c": A}, TWO, B, id="dict with other names"),
        pytest.param({"c": A, "d": B}, TWO, B, id="dict by order"),
        pytest.param([A, B], ONE, None, id="two for one output"),
        pytest.param([A, B, A], TWO, None, id="three for two outputs"),
        pytest.param([A, B], OPEN, None, id="none chosen"),
        pytest.param(None, ONE, None, id="none"),
    ],
)
def test_target_is_that_of_the_prediction(targets, info, expected):
    assert Sources(info).target(Batch(None, targets, None)) is expected


def test_outputs_go_by_their_names_channels_last():
    info = OutputInfo(("a", "b"), (None, None), 1, channels_first=True)
    outputs = [np.zeros((1, 3, 4, 5)), np.zeros((1, 6))]
    sources = Sources(info)
    found = sources.outputs(Batch(None, None, outputs))
    assert {name: array.shape for name, array in found.items()} == {"a": (1, 4, 5, 3), "b": (1, 6)}
    assert sources.prediction(Batch(None, None, outputs)) is outputs[1]


def test_target_sizes_are_those_of_the_prediction_and_the_input():
    batch = Batch(np.zeros((1, 8, 6, 3)), None, np.zeros((1, 4, 3, 1)))
    assert Sources(ONE).target_sizes(batch) == [(4, 3), (8, 6)]
    assert Sources(ONE).target_sizes(Batch(None, None, batch.outputs)) == [(4, 3)]


# Panels


NAMES = ("input", "prediction", "target")


def choose(panels, obstacles, **info):
    renderer = Images(panels=panels)
    return renderer.choose_panels(obstacles, OutputInfo(("prediction",), (None,), 0, **info))


def test_choose_panels_without_wish_takes_those_that_nothing_is_in_the_way_of():
    obstacles = {"input": None, "prediction": None, "target": "there is none", "depth": None}
    assert choose(None, obstacles) == ("input", "prediction")


def test_choose_panels_of_noise_shows_it_only_when_asked():
    obstacles = dict.fromkeys(NAMES)
    assert choose(None, obstacles, noise=True) == ("prediction", "target")
    assert choose(("input",), obstacles, noise=True) == ("input",)


def test_choose_panels_takes_those_wanted_in_their_order():
    assert choose(("target", "input"), dict.fromkeys(NAMES)) == ("target", "input")


def test_choose_panels_of_an_unknown_one_lists_all():
    with pytest.raises(ValueError, match="no panel 'x'; there are: input, prediction, target"):
        choose(("x",), dict.fromkeys(NAMES))


def test_choose_panels_of_one_that_cannot_be_drawn_says_why():
    with pytest.raises(ValueError, match="names 'target', but it rains"):
        choose(("target",), dict.fromkeys(NAMES) | {"target": "it rains"})


@pytest.mark.parametrize("panels", [None, ("a",), ("b", "a")], ids=repr)
def test_check_panels_of_names_returns_them(panels):
    assert check_panels(panels) == panels


def test_check_panels_of_a_list_returns_a_tuple():
    assert check_panels(["a", "b"]) == ("a", "b")


@pytest.mark.parametrize("panels", ["input", (), ("a", 1), ("a", "a"), ("a", None)], ids=repr)
def test_check_panels_of_others_shows_them(panels):
    with pytest.raises(ValueError, match=r"`panels` must .*got "):
        check_panels(panels)


def test_check_panels_of_a_dict_returns_its_names_in_their_order():
    given = {"target": "HR", "input": "LR"}
    assert check_panels(given) == ("target", "input")
    captions = check_captions(given)
    given["input"] = "later"
    assert captions == {"target": "HR", "input": "LR"}
    assert check_captions(("target",)) == check_captions(None) == {}


@pytest.mark.parametrize("caption", ["", " ", None, 3], ids=repr)
def test_check_captions_of_what_is_no_text_shows_it(caption):
    with pytest.raises(ValueError, match=rf"`panels` .* the caption of 'input', got {caption!r}"):
        check_captions({"input": caption})


def test_check_captions_that_do_not_tell_panels_apart_are_refused():
    with pytest.raises(ValueError, match="`panels` must have another caption for each panel, got"):
        check_captions({"input": "a", "prediction": "a"})


def test_require_chosen_of_a_chosen_one_passes():
    require_chosen(TWO, Batch(None, None, [A, B]))


def test_require_chosen_without_choice_lists_the_outputs():
    rule = r"`output` must say .*2 outputs.*'a': shape \(1,\).*'b': shape \(1,\).*output=name"
    with pytest.raises(ValueError, match=rule):
        require_chosen(OPEN, Batch(None, None, [A, B]))
