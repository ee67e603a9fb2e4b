"""A strict fake of what a control surface is built on: the class to derive from, and the object that Live gives it.

A test holds their members against what was published of Live, by name, kind and parameters.
"""

from typing import Any

DELAY_IN_TICKS = 1


class CInstance:
    """What Live gives to `create_instance`; a member that is not there is an offence."""

    def __init__(self, live: Any) -> None:
        self._live = live

    def __getattr__(self, name: str) -> None:
        self._live.offend(f"the c_instance has no member {name}")

    def song(self) -> Any:
        return self._live.song

    def show_message(self, message: str) -> None:
        assert isinstance(message, str)
        self._live.messages.append(message)

    def log_message(self, message: str) -> None:
        assert isinstance(message, str)
        self._live.log.append(message)


class ControlSurface:
    """What `ableton.v2` gives; a member that is not there is an offence."""

    def __init__(self, c_instance: Any = None) -> None:
        assert isinstance(c_instance, CInstance)
        self._c_instance = c_instance

    def __getattr__(self, name: str) -> None:
        vars(self)["_c_instance"]._live.offend(f"ControlSurface has no member {name}")

    @property
    def song(self) -> Any:
        return self._c_instance.song()

    def schedule_message(self, delay_in_ticks: Any, callback: Any, parameter: Any = None) -> None:
        assert (delay_in_ticks, parameter) == (DELAY_IN_TICKS, None)
        self._c_instance._live.scheduled.append(callback)

    def show_message(self, message: str) -> None:
        self._c_instance.show_message(message)

    def disconnect(self) -> None:
        self._c_instance._live.scheduled = []
