"""A value that must never be seen: it masks itself wherever it is shown."""

import hmac
from typing import NoReturn, Self

MASK = "<secret>"


class Secret:
    """An API key or secret; only `reveal` gives the text.

    `str`, `repr`, `format` and everything built on them show a mask. Pickling is refused, and JSON
    encoders do not know the type. Not hashable, so that it cannot become a dictionary key whose
    representation ends up in a log.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self.__value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, so that how long it takes tells nothing."""
        if not isinstance(other, Secret):
            return NotImplemented
        mine = self.__value.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(mine, other.__value.encode("utf-8", "surrogatepass"))

    __hash__ = None  # type: ignore[assignment]

    # A frozen value may be shared; copying must not go the way of pickling, which is refused.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")
