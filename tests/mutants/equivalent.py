"""Mutants that do what the module does: by module, its lines as they stand, and as they are changed."""

EQUIVALENT = {
    (
        "render/colors.py",
        "colored[mapped[..., 0] != mapped[..., 1]] = MAGENTA",
        "colored[mapped[..., 0] > mapped[..., 1]] = MAGENTA",
    ): "Grey has three equal channels, and of magenta the first is 255 and the second 0.",
    (
        "render/mapping.py",
        "@functools.lru_cache(maxsize=64) # a grid is mapped sample by sample",
        "",
    ): "The cache only saves time: the same arguments make the same scale.",
}
