"""The package's name and version, where every folder may read them."""

PACKAGE = "keras_image_saver"
__version__ = "0.2.0"
