import pytest

from keras_image_saver import Snapshot
from keras_image_saver.viewers.captions import captions

FIRST = Snapshot(1, 4, 4, "1.png", {"loss": 0.25, "val/loss.a": 3.0, "note": "good"})
SECOND = Snapshot(2, 4, 8, "2.png", {"loss": float("nan"), "epoch": 99})


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("epoch {epoch}, {batch} of {step}", ["epoch 1, 4 of 4", "epoch 2, 4 of 8"]),
        ("{epoch:04d} {loss:.2f}", ["0001 0.25", "0002 nan"]),
        ("{val/loss.a:.1f}", ["3.0", "-"]),
        ("{note:.2f}", ["-", "-"]),
        ("{{}} two\n lines ", ["{} two lines", "{} two lines"]),
    ],
    ids=["counters", "formats", "missing value", "format that does not fit", "one line"],
)
def test_captions_fill_in_what_each_snapshot_has(template, expected):
    assert captions(template, [FIRST, SECOND]) == expected


def test_captions_call_the_model_before_its_first_step_untrained():
    untrained, loop = Snapshot(0, 0, 0, "0.png"), Snapshot(0, 0, 5, "5.png")
    assert captions("epoch {epoch}, step {step}", [untrained, loop, FIRST]) == [
        "untrained, step 0",
        "epoch 0, step 5",
        "epoch 1, step 4",
    ]
    assert captions("{epoch:04d}", [untrained]) == ["0000"]


def test_captions_with_an_unknown_field_list_those_that_there_are():
    with pytest.raises(
        ValueError, match=r"acc, got '\{acc\}'. Fields are loss, .*epoch, batch, step"
    ):
        captions("{acc}", [FIRST, SECOND])


def test_captions_of_something_else_than_a_text_are_a_type_error():
    with pytest.raises(TypeError, match="`caption` must be a text or None, got 5"):
        captions(5, [FIRST])
