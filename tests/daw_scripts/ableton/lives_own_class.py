"""Load the surface on Live's own ControlSurface, as published, and let it tick; a program for any Python from 3.7 on.

`python lives_own_class.py CORE SCRIPTS` prints what was found, as JSON. CORE holds the published package `ableton`,
SCRIPTS the folder `Retake`. Everything else that Live puts before a script is replaced by objects that agree to
anything: what is tried is the class.
"""

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import json
import os
import sys
import types
from typing import Any

STAND_INS = ("Live", "MidiRemoteScript", "Push2", "pushbase", "_MxDCore", "_Framework", "future", "past")
"""What the class imports and only Live has (`future` and `past` bridge Python 2 and 3)."""
WITHOUT_PREFIX = {"control_surface": "ableton.v2.control_surface", "base": "ableton.v2.base"}
"""Eight import lines of the package lost the beginning of their names when it was decompiled."""


class Anything:
    """Agrees to every name, call and comparison, and holds nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__dict__.setdefault(name, Anything())

    def __call__(self, *_args: Any, **_keys: Any) -> Any:
        return Anything()

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False


class Names(type):
    """The class of classes in which every name exists, as another such class: `Live.Song.Quantization.q_bar`."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(cls, name, Names(name, (Anything,), {}))
        return vars(cls)[name]


class StandIn(types.ModuleType):
    """A module in which every name exists, as a class, so that others can be derived from it."""

    __path__: Any = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, Names(name, (Anything,), {}))
        return vars(self)[name]


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the published package in its folder, and stand-ins for what only Live has."""

    def __init__(self, core: Any) -> None:
        self.core = core

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        first = name.split(".", maxsplit=1)[0]
        if first in STAND_INS or first in WITHOUT_PREFIX:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        if name == "ableton":
            return importlib.machinery.PathFinder.find_spec(name, [self.core])
        return None

    def create_module(self, spec: Any) -> Any:
        return StandIn(spec.name)

    def exec_module(self, module: Any) -> None:
        first, dot, rest = module.__name__.partition(".")
        if first in WITHOUT_PREFIX:
            sys.modules[module.__name__] = importlib.import_module(WITHOUT_PREFIX[first] + dot + rest)
        else:
            vars(module).update(BRIDGES.get(module.__name__, {}))


def with_metaclass(meta: Any, *bases: Any) -> Any:
    """Give a class to derive from whose metaclass is `meta`; what stands between drops out."""

    class Between(type):
        def __new__(cls, name: str, _bases: Any, body: Any) -> Any:
            return meta(name, bases, body)

    return type.__new__(Between, "between", (), {})


BRIDGES = {
    "future.builtins": {name: getattr(builtins, name) for name in ("filter", "map", "range", "zip")},
    "future.moves.itertools": {"zip_longest": itertools.zip_longest},
    "future.utils": {
        "iteritems": lambda found: iter(found.items()),
        "itervalues": lambda found: iter(found.values()),
        "string_types": (str,),
        "with_metaclass": with_metaclass,
    },
    "past.builtins": {"long": int, "unicode": str},
    "past.utils": {"old_div": lambda above, below: above / below},
}
"""What the bridges from Python 2 give under Python 3."""


class CInstance(Anything):
    """What Live gives to a surface; it keeps what is written to the log."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def log_message(self, text: str) -> None:
        self.log.append(text)


class Silent(CInstance):
    """One whose log cannot be written."""

    def log_message(self, _text: Any) -> None:
        raise RuntimeError("the log is full")


def names_in_common(base: Any, surface: Any) -> list[Any]:
    """What the surface defines or keeps under a name that its base class uses, too."""
    plain = object.__new__(base)
    base.__init__(plain, CInstance())
    taken, defined = set(dir(base)) | set(vars(plain)), set(vars(type(surface)))
    kept = set(vars(surface)) - set(vars(plain))
    return sorted(name for name in (defined | kept) & taken if not name.startswith("__"))


def main(core: Any, scripts: Any) -> None:
    """Load, tick and disconnect; then a start that fails."""
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, Finder(core))
    sys.path.insert(0, scripts)
    import Retake
    from ableton.v2.control_surface import ControlSurface

    ControlSurface.device_provider_class = None  # it listens to devices through a line that the decompiler garbled
    state = os.environ["RETAKE_STATE_DIR"]
    given = CInstance()
    ticks: list[int] = []
    surface = Retake.create_instance(given)
    endpoint: Any = surface._endpoint
    hear = endpoint.messages

    def counted() -> Any:
        ticks.append(1)
        return hear()

    endpoint.messages = counted
    for _ in range(10):
        surface.update_display()
    found = {"log": given.log, "ticks": len(ticks), "published": os.listdir(state)}
    found["names_in_common"] = names_in_common(ControlSurface, surface)
    surface.disconnect()
    found["withdrawn"] = os.listdir(state)
    try:
        Retake.create_instance(Silent())
    except RuntimeError as error:
        found["failed_start"] = [str(error), *os.listdir(state)]
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
