"""ReaImGui for one script: the test's next answer is typed into the dialog, then its OK or Cancel is pressed."""

# ruff: noqa: N802 - the names are those of the API

from pathlib import Path
from typing import Any

BUILTIN = Path(__file__).with_name("imgui_builtin")
KEYS = {"Enter": 525, "KeypadEnter": 615, "Escape": 526}
AUTO_SELECT_ALL = 16


class Context:
    kind = "ImGui_Context"
    is_alive = True


class ImGuiFunctions:
    """Answers come from `host.answers`, as for GetUserInputs: a table of what is changed, or None for Cancel.

    `host.imgui_key` is pressed to answer, where it is one of KEYS; otherwise a button is.
    """

    def __init__(self, host: Any, _script: Any) -> None:
        self._host = host
        self._answer: dict[Any, Any] = {}
        self._fields: dict[Any, Any] = {}
        self._is_open = False
        self._frames = 0
        self._caption, self._is_focus_next = "", False

    def ImGui_GetBuiltinPath(self) -> str:
        return str(BUILTIN)

    def ImGui_CreateContext(self, label: Any, _flags: Any = 0) -> Any:
        self._host.dialogs.append((label, self._fields))
        return Context()

    def ImGui_SetNextWindowSize(self, _context: Any, _width: Any, _height: Any, _condition: Any = 0) -> None:
        pass

    def ImGui_Begin(self, _context: Any, _name: Any, _is_open: Any = None, _flags: Any = 0) -> tuple[bool, bool]:
        assert not self._is_open, "ImGui_Begin without ImGui_End"
        self._is_open, self._frames = True, self._frames + 1
        if self._frames > 1:  # the first one only shows what there is
            self._answer = self._host.answers.pop(0)
        return True, True

    def ImGui_End(self, _context: Any) -> None:
        self._is_open = False

    def ImGui_IsWindowAppearing(self, _context: Any) -> bool:
        return self._frames == 1

    def ImGui_IsWindowFocused(self, _context: Any, _flags: Any = 0) -> bool:
        return True

    def ImGui_IsKeyPressed(self, _context: Any, key: int, repeats: Any = True) -> Any:
        assert key in KEYS.values(), key
        assert not repeats, "an answer by a key that is held down would come again and again"
        down = "Enter" if self._frames == 1 else self._host.imgui_key  # who ran the action by Enter still holds it down
        return down is not None and key == KEYS[down]

    def ImGui_SetKeyboardFocusHere(self, _context: Any, offset: Any = 0) -> None:
        assert offset == 0
        self._is_focus_next = True

    def ImGui_SetNextItemWidth(self, _context: Any, _width: Any) -> None:
        pass

    def ImGui_Text(self, _context: Any, text: str) -> None:
        self._caption = text

    def _value(self, label: Any, value: Any) -> Any:
        label = self._caption if label.startswith("##") else label
        self._fields[label] = value
        typed = [text for beginning, text in (self._answer or {}).items() if label.startswith(beginning)]
        return (True, typed[0]) if typed else (False, value)

    def ImGui_InputText(self, _context: Any, label: Any, text: str, flags: Any = 0) -> Any:
        if self._is_focus_next:
            self._is_focus_next = False
            self._host.imgui_focused.append((self._caption, int(flags) & AUTO_SELECT_ALL != 0))
        return self._value(label, text)

    def ImGui_SliderDouble(self, _context: Any, label: Any, value: Any, low: Any, high: Any, *_format: Any) -> Any:
        assert low <= value <= high
        return self._value(label, float(value))

    def ImGui_SliderInt(self, _context: Any, label: Any, value: Any, low: Any, high: Any, *_format: Any) -> Any:
        assert low <= value <= high
        return self._value(label, int(value))

    def ImGui_Checkbox(self, _context: Any, label: Any, is_on: Any) -> Any:
        return self._value(label, is_on)

    def ImGui_Combo(self, _context: Any, label: Any, current: Any, items: Any, _height: Any = -1) -> tuple[Any, Any]:
        assert items.endswith("\0"), "each item ends in a zero"
        choices = items.removesuffix("\0").split("\0")
        assert 0 <= current < len(choices)
        is_changed, chosen = self._value(label, choices[current])
        return is_changed, choices.index(chosen)

    def ImGui_TextWrapped(self, _context: Any, text: str) -> None:
        self._host.messages.append(("dialog", text))

    def ImGui_SameLine(self, _context: Any, *_spacing: Any) -> None:
        pass

    def ImGui_Button(self, _context: Any, label: Any, *_size: Any) -> bool:
        if self._frames == 1 or self._host.imgui_key is not None:
            return False
        return label == ("Cancel" if self._answer is None else "OK")
