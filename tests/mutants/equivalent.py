"""Mutants that do what the module does: by module, its lines as they stand, and as they are changed."""

EQUIVALENT = {
    (
        "progress.py",
        "self._steps_done = 0 # as a loop of one's own counted them",
        "self._steps_done = -1 # as a loop of one's own counted them",
    ): "No step is below 0, so that none counts as one again, and the first one counted is above both.",
    (
        "render/mapping.py",
        "@functools.lru_cache(maxsize=64) # a grid is mapped sample by sample",
        "",
    ): "The cache only saves time: the same arguments make the same scale.",
    (
        "run/template.py",
        "left_out = (itertools.combinations(groups, count) for count in range(len(groups) + 1))",
        "left_out = (itertools.combinations(groups, count) for count in range(len(groups) + 2))",
    ): "There is no combination of more groups than there are.",
}
