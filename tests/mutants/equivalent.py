"""Mutants that do what the module does: by module, the lines as they stand, and as the mutant has them."""

EQUIVALENT: dict[tuple[str, str, str], str] = {}
