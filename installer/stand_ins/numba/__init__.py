"""Stands in for numba in the bundle: librosa decorates functions with it, of which Retake never calls one that is slow.

What is decorated runs as the plain Python that it is. `guvectorize`, `vectorize` and `stencil` change what a function
means; what they decorate says so when it is called.
"""

from collections.abc import Callable
from typing import Any, NoReturn

Function = Callable[..., Any]


def jit(*args: Any, **_options: object) -> Any:
    """Give the function itself, as `@jit` and as `@jit(nopython=True)`."""
    return args[0] if args and callable(args[0]) else lambda function: function


def _left_out(*args: Any, **_options: object) -> Any:
    return _refusal(args[0]) if args and callable(args[0]) else _refusal


def _refusal(function: Function) -> Function:
    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise ImportError(f"{function.__name__} needs numba, which is not part of the packaged Retake", name="numba")

    return refuse


njit = jit
guvectorize = vectorize = stencil = _left_out


def __getattr__(name: str) -> Any:
    """Give a stand-in for numba's names of types, which appear in signatures: they take any arguments and indices."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _Type()


class _Type:
    """A type of numba's, hollow."""

    def __call__(self, *_args: object, **_options: object) -> "_Type":
        return self

    def __getitem__(self, _index: object) -> "_Type":
        return self
