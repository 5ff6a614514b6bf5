import pytest

from keras_image_saver.viewers.comparison.urls import names_of, relative_url


@pytest.mark.parametrize(
    ("page", "folder", "url"),
    [
        ("", "runs/a", "./runs/a/"),
        (".", "./runs/a/", "./runs/a/"),
        ("runs/a", "runs/a", "./"),
        ("/x/pages", "/x/runs/a", "../runs/a/"),
        ("file:///x", "/x/a", "./a/"),
        ("gs://bucket/pages", "gs://bucket/runs/a", "../runs/a/"),
        ("gs://bucket", "gs://bucket/a", "./a/"),
        ("", "javascript:alert(1)", "./javascript%3Aalert%281%29/"),
    ],
)
def test_relative_url(page, folder, url):
    assert relative_url(page, folder) == url


@pytest.mark.parametrize(
    ("page", "folder"), [("gs://one", "gs://other/a"), ("", "gs://b/a"), ("gs://b", "/a")]
)
def test_relative_url_to_another_storage_is_refused(page, folder):
    with pytest.raises(ValueError, match=rf"`out` must be .* in '{page}' and a run in '{folder}'"):
        relative_url(page, folder)


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["runs/a", "runs/b"], ["a", "b"]),
        (["a/x", "b/x", "b/y"], ["a/x", "b/x", "b/y"]),
        (["gs://b/a", "a"], ["b/a", "runs/a"]),
    ],
)
def test_names_of(folders, names, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path / "runs")
    assert names_of(folders) == names
