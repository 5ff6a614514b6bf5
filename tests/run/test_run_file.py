"""What `run.json` says of the panels that a renderer draws."""

import numpy as np
import pytest
from support.rendering import bind

from keras_image_saver import Images, Segmentation
from keras_image_saver.render.several import Several
from keras_image_saver.run.run_file import about_panels

pytestmark = pytest.mark.numpy

PHOTOS = np.zeros((1, 2, 2, 3), np.float32)
SCORES = np.zeros((1, 2, 2, 4), np.float32)
IDS = np.zeros((1, 2, 2), np.int64)


def told(render, outputs, *, kinds=(), **samples):
    bound = bind(render, outputs, **samples)
    found = about_panels(Several.of(bound, kinds) if kinds else bound)
    return {name: value for name, value in found.items() if value is not None}


def test_panels_that_stay_and_those_of_classes_are_told():
    segmentation = Segmentation(input_range=(0, 1))
    assert told(segmentation, SCORES, inputs=PHOTOS, targets=IDS) == {
        "fixed_panels": ["input", "target"],
        "class_panels": ["prediction", "target"],
    }
    assert told(Images((0, 1)), PHOTOS, inputs=PHOTOS) == {"fixed_panels": ["input"]}


def test_every_input_of_several_stays():
    inputs = {"left": PHOTOS, "right": PHOTOS}
    found = told(Images((0, 1)), PHOTOS, inputs=inputs)
    assert found == {"fixed_panels": ["left", "right"]}


def test_colours_over_a_photo_and_errors_are_no_class_maps():
    given = {"inputs": PHOTOS, "targets": IDS}
    overlaid = Segmentation(input_range=(0, 1), overlay=0.5)
    assert told(overlaid, SCORES, **given) == {"fixed_panels": ["input", "target"]}
    wrong = Segmentation(input_range=(0, 1), panels=("prediction", "error"))
    assert told(wrong, SCORES, **given) == {"class_panels": ["prediction"]}


def test_class_that_an_overlay_leaves_bare_has_a_name_and_no_colour():
    names = {0: "ground", 1: "cat"}
    render = Segmentation(input_range=(0, 1), overlay=0.5, background_class=0, class_names=names)
    assert told(render, SCORES, inputs=PHOTOS)["class_names"] == [
        {"id": 0, "name": "ground", "color": None},
        {"id": 1, "name": "cat", "color": [128, 0, 0]},
    ]


def test_panels_of_several_weights_have_the_names_that_the_geometry_has():
    render = Segmentation(panels={"prediction": "Found", "target": "True"})
    assert told(render, SCORES, targets=IDS, kinds=("raw", "ema")) == {
        "fixed_panels": ["target"],
        "class_panels": ["raw", "ema", "target"],
        "captions": {"raw": "Found raw", "ema": "Found ema", "target": "True"},
    }


def test_nothing_is_told_of_a_renderer_of_the_users_own_or_none_yet():
    none = dict.fromkeys(("class_names", "class_panels", "fixed_panels", "captions"))
    assert about_panels(None) == none
    assert told(Images((0, 1), panels=("prediction",)), PHOTOS) == {}
