"""A run's measures, snapshot after snapshot."""

from dataclasses import dataclass

import numpy as np
import pytest

from keras_image_saver.render.base import (
    Batch,
    BoundRenderer,
    Rendered,
)
from keras_image_saver.render.measured import MeasuredImages
from keras_image_saver.render.measuring import Measuring

pytestmark = pytest.mark.numpy


@dataclass(frozen=True, kw_only=True)
class Bound(BoundRenderer):
    """Knows what its outputs are: images from 0 to 1 with targets."""

    kinds: tuple = ("",)

    def __call__(self, batch, surface=None):
        return Rendered()

    def measured(self, batch):
        return {
            kind: MeasuredImages(batch.outputs, (0.0, 1.0), batch.targets, (0.0, 1.0))
            for kind in self.kinds
        }


BOUND = Bound(ranges={})


def parts(*values, rows=2):
    """One part after the other of grey 2 x 2 images of one value each, with black targets."""
    images = np.array(values, np.float32)[:, None, None, None] * np.ones((1, 2, 2, 1), np.float32)
    return [
        Batch(None, np.zeros_like(images[i : i + rows]), images[i : i + rows])
        for i in range(0, len(images), rows)
    ]


def test_measuring_gives_a_value_a_sample_over_all_parts():
    found = Measuring({"error": "mae"})(BOUND, parts(0.25, 0.5, 1))
    assert found.samples["error"].tolist() == [0.25, 0.5, 1]
    assert found.samples["error"].dtype == np.float32
    assert found.summary["error"].worst == ((2, 1.0), (1, 0.5), (0, 0.25))


def test_change_is_from_the_snapshot_before_and_unknown_at_the_first():
    measuring = Measuring({"change": "change"})
    assert np.isnan(measuring(BOUND, parts(0.25, 0.5, 1)).samples["change"]).all()
    assert measuring(BOUND, parts(0.5, 0.5, 0.5)).samples["change"].tolist() == [0.25, 0, 0.5]
    # Of other samples there is none before.
    assert np.isnan(measuring(BOUND, parts(0.5)).samples["change"]).all()
    assert measuring(BOUND, parts(0.75)).samples["change"].tolist() == [0.25]


def test_change_is_told_of_only_where_there_is_one_before():
    measuring = Measuring({"error": "mae", "change": "change"})
    assert set(measuring(BOUND, parts(0.25, 0.5)).summary) == {"error"}
    found = measuring(BOUND, parts(0.5, np.nan)).summary
    assert found["change"].worst == ((1, pytest.approx(np.nan, nan_ok=True)), (0, 0.25))
    assert found["change"].nan == 1
    # A model that has grown draws larger images, and other samples are others.
    larger = [Batch(None, np.zeros((2, 4, 4, 1), np.float32), np.ones((2, 4, 4, 1), np.float32))]
    assert set(measuring(BOUND, larger).summary) == {"error"}
    assert measuring(BOUND, larger).summary["change"].mean == 0


def test_diversity_is_one_number_of_the_grid_without_worst_samples():
    found = Measuring({"diversity": "diversity"})(BOUND, parts(0, 0, 1, 1))
    # Of six pairs four are 1 apart.
    np.testing.assert_allclose(found.samples["diversity"], [np.sqrt(4 / 6)], rtol=1e-6)
    assert found.summary["diversity"].worst == ()


def test_measures_of_two_kinds_of_weights_have_a_name_each():
    bound = Bound(ranges={}, kinds=("raw", "ema"))
    found = Measuring({"mae": "mae"})(bound, parts(0.5))
    assert list(found.samples) == ["mae raw", "mae ema"]


def test_measuring_nothing_looks_at_nothing():
    assert Measuring({})(BOUND, iter(())).samples == {}


def test_check_refuses_a_measure_that_does_not_fit():
    with pytest.raises(ValueError, match=r'`metrics` names "iou".*class maps.*"mae"'):
        Measuring({"iou": "iou"}).check(BOUND, parts(0.5), 1)


def test_samples_that_become_alike_are_told_once_and_of_latents_only():
    alike, apart = parts(0.5, 0.5001), parts(0, 1)
    watched, not_latents = (
        Measuring({"d": "diversity"}, latents=True),
        Measuring({"d": "diversity"}),
    )
    told = [[*watched(BOUND, one).findings] for one in [apart] * 5 + [alike] * 2]
    assert [len(one) for one in told] == [0, 0, 0, 0, 0, 1, 0]
    assert "d is 0.0001, below 25% of 1, the median" in told[5][0].text
    assert not any(not_latents(BOUND, one).findings for one in [apart] * 5 + [alike])
