"""Redacts secrets and personal data: tokens, the home folder's name, prompts, project folders.

Pure: works on strings, whichever system they come from.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from bridge.operation_table import OPERATIONS

TOKEN, PROMPT, FOLDER, TEXT = "(token)", "(prompt)", "(folder)", "(text)"

_NAMED_TOKEN = re.compile(r"(?i)(\btoken\b\W{1,6})([\w-]{16,})")
_TAKE = re.compile(rf"\b({'|'.join(OPERATIONS)}) [^\s/\\]+ (s\d+)\b")
"""The name of a result: its middle part comes from the prompt."""
_SHORTEST = 3
"""Characters; shorter prompts occur in many words by chance."""
_BETWEEN = r"(?:/|\\{1,2})"
_LETTER = r"""(?:[^/\\"'`<>|\n\r\t]|(?<=\w)'(?=\w))"""
_ENDINGS = "wav|wave|bwf|aiff?|aifc|caf|flac|og[ga]|opus|mp3|json|jsonl|csv|tsv|txt|toml|py|lua|js|log|zip|sqlite3|tmp"
_MODELS = "ckpt|pth?|bin|safetensors"
_PATH = re.compile(
    rf"(?<![\w./\\~-])(?!/(?:retake/[\w.]+|ack|done|fail)(?![\w/]))"  # but not addresses of the protocol
    rf"(?:file:/{{2,3}})?(?:~[\w.-]*{_BETWEEN}|[A-Za-z]:{_BETWEEN}|\\{{2,4}}|(?<!:)//|/)(?=[^\s/\\])"
    rf"(?:(?!\s){_LETTER}*(?<!\s){_BETWEEN})*"
    rf"(?:(?P<file>{_LETTER}{{1,150}}?\.(?:{_ENDINGS}|{_MODELS})(?!\w))|[^\s,;:()\[\]/\\\"'`<>|]*)",
    re.IGNORECASE,
)
"""What looks like an absolute path of any system; spaces belong to it where another folder follows."""
_QUOTED = re.compile(r"""(?<![\w\\])(?<!File )(?:'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")(?!\w)""")
_PLAIN_ID = re.compile(r"[A-Za-z]{0,12}[-_]?(?=[a-fA-F-]*\d)[\da-fA-F-]{1,64}")


def cut_paths(text: str) -> str:
    """Return a text with all absolute paths cut to file names, and folders replaced."""
    return _PATH.sub(lambda found: (found["file"] or FOLDER).strip(), text)


def anonymous_id(job_id: str) -> str:
    """Return a job's id if it is a counter or random number, otherwise an anonymous one."""
    if len(job_id) < _SHORTEST or _PLAIN_ID.fullmatch(job_id):
        return job_id
    return f"job-{hashlib.sha256(job_id.encode(errors='surrogatepass')).hexdigest()[:12]}"


def _hidden(quoted: re.Match[str]) -> str:
    return quoted[0] if quoted[0][1:-1] in (TOKEN, PROMPT, FOLDER) else f"'{TEXT}'"


@dataclass(frozen=True)
class Redactor:
    """What to redact. `homes` become ~; `tokens`, `prompts` and `folders` a placeholder; `files` their bare name.

    With `keeps_prompts` prompts, names of results and folders stay; with `cuts_paths` every absolute path is cut.
    """

    homes: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    keeps_prompts: bool = False
    cuts_paths: bool = False

    def clean(self, text: str) -> str:
        """Return a text without secrets and personal data."""
        for token in filter(None, self.tokens):
            text = text.replace(token, TOKEN)
        text = _NAMED_TOKEN.sub(rf"\1{TOKEN}", text)
        if not self.keeps_prompts:
            text = self._without_prompts(text)
        for home in filter(None, self.homes):
            text = _replace_folder(text, home, "~")
        return cut_paths(text) if self.cuts_paths and not self.keeps_prompts else text

    def clean_sentence(self, text: str) -> str:
        """Return an error sentence or log line cleaned, also of quoted text, which may be a user's words."""
        cleaned = self.clean(text)
        return cleaned if self.keeps_prompts else _QUOTED.sub(_hidden, cleaned)

    def _without_prompts(self, text: str) -> str:
        for path in sorted(filter(last_part, self.files), key=len, reverse=True):
            for spelled in _spellings(path):
                text = text.replace(spelled, last_part(path))
        for folder in sorted(self.folders, key=len, reverse=True):
            text = _replace_folder(text, folder, FOLDER)
        text = _TAKE.sub(rf"\1 {PROMPT} \2", text)
        for prompt in sorted(self.prompts, key=len, reverse=True):
            if len(prompt) >= _SHORTEST:
                for spelled in _spellings(prompt):
                    text = re.sub(rf"(?<!\w){re.escape(spelled)}(?!\w)", lambda _: PROMPT, text)
        return text

    def clean_all(self, values: Iterable[object]) -> list[object]:
        """Return a list with its sentences cleaned."""
        return [self.clean_sentence(value) if isinstance(value, str) else value for value in values]


def _spellings(text: str) -> tuple[str, ...]:
    """Return a text as it is, and as `repr` and JSON escape its backslashes and line breaks."""
    escaped = text.encode("unicode_escape", "surrogatepass").decode()
    return tuple(dict.fromkeys((text, text.replace("\\", "\\\\"), escaped)))


def _replace_folder(text: str, folder: str, by: str) -> str:
    """Replace a folder, but not another one whose name only begins like it."""
    if len(folder.rstrip("/\\")) <= 1:  # the root is not a home
        return text
    for spelled in _spellings(folder):
        text = re.sub(rf"{re.escape(spelled)}(?!\w)", lambda _: by, text)
    return text


def last_part(path: str) -> str:
    """Return the last name of a path of any system."""
    return _pure(path).name


def folder_of(path: str) -> str:
    """Return the folder of a path of any system; "" for a root or a drive."""
    folder = _pure(path).parent
    return str(folder) if folder.name else ""


def _pure(path: str) -> PurePath:
    return PureWindowsPath(path) if "\\" in path or path[1:2] == ":" else PurePosixPath(path)
