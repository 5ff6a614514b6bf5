"""From a model's outputs to panels of uint8 images, by NumPy alone."""
