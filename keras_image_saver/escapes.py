"""Text from elsewhere, made fit to be shown: in a terminal, a log, a picture.

A record, a file's name, a metric's name, or the error of another library may hold anything: a line
break that forges a line, an escape that a terminal obeys, half of a surrogate pair that no encoding
takes. Whatever leaves the package goes through `escaped`.
"""

import unicodedata


def escaped(text: str) -> str:
    r"""Return a text with what is not printable as Python writes it in a string.

    >>> print(escaped("epoch 3\x1b[2J\nnone missed"))
    epoch 3\x1b[2J\nnone missed
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    # Spaces of other widths do no harm.
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode("ascii")
