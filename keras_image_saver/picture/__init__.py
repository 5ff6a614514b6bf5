"""From panels to one picture, and from the picture to bytes: what knows Pillow."""
