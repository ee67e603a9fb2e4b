"""What can go wrong between a client and the engine, as a tree; each class writes its own sentence from facts.

BridgeError                     code, text, hint
  ProtocolError                 a message that does not follow PROTOCOL.md (the client's mistake)
    UnknownAddressError
    MissingArgumentError
    WrongTypeError
    BadValueError
    RelativePathError
    RegionOrderError
    UnknownKeyError
    DuplicateKeyError
    MissingValueError           a key without its value
  TokenError                    the command needs the token of the runtime file
  ReplyFileError                the reply file would overwrite another program's file
  PathNotAllowedError           a folder that nothing is written to
  ClipRefusedError              a clip that is a pipe, a device, something of the system
  JobError
    UnknownJobError
    JobIdReusedError
    JobFinishedError            too late to cancel
    JobCancelledError
    JobInterruptedError         the daemon stopped before the job was done
    QueueFullError
    TooLateError                the deadline that the client set has passed
    BusyError                   something that has to wait until no job runs
    WorkerDiedError
    WorkerHungError
    FarmLostError               a WorkerDiedError of a machine: a node, or the whole farm, is not there
    UnforeseenError             an unexpected error
  JournalError                  the journal cannot keep or return a job: disk full, damaged, held by another program
  FolderError                   the output folder cannot be made
  OutputTooLargeError           the result would be larger than the settings allow
  DiskFullError                 there is less room than the result needs
  AudioLibraryMissingError      PortAudio is not installed
  NoOutputDeviceError           this machine has nothing to play on
  DeviceUnknownError            it has, but nothing of that name
  PreviewFileMissingError
  PreviewFileError              a file that cannot be played
  PreviewRegionError            the part to be played is past the file's end
  PreviewChannelsError          a file that is neither mono nor stereo
  PreviewFailedError            the device, or the player, gave up
  PreviewReplacedError          another preview, or a stop, came before it sounded
  SettingsError                 a setting that cannot be used
    UnknownSettingError
    SettingsFileError
  PortBusyError
  DaemonMissingError            no daemon runs, or it does not answer
  LiveMissingError              Ableton Live does not run, or without Retake's control surface
  WaitedTooLongError            the job goes on, but the client's patience does not
  RequestFileError              a file for `retake-send --request` that cannot be understood
"""

import difflib
from collections.abc import Iterable
from pathlib import Path

from bridge.plain_words import quoted, without_numbers


class BridgeError(Exception):
    """A failure that a person can act on: `text` says what happened and what was expected, `hint` what to do next."""

    code = "bridge_error"

    def __init__(self, text: str, hint: str) -> None:
        self.text, self.hint = without_numbers(text), hint
        super().__init__(self.text)


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """Guess what `word` was meant to be; `otherwise` when nothing known looks like it."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"did you mean {matches[0]}?" if matches else otherwise


def shown(value: object) -> str:
    """Name a wire value and its type without trusting its size or depth."""
    if isinstance(value, str):
        return f"the string {quoted(value)}"
    if isinstance(value, bool) or value is None:
        return f"{value}"
    if isinstance(value, int):
        return f"the integer {value}"
    if isinstance(value, float):
        return f"the float {value:g}"
    return "binary data" if isinstance(value, bytes) else f"a {type(value).__name__}"


class ProtocolError(BridgeError):
    """A message that does not follow PROTOCOL.md."""

    code = "bad_message"


class UnknownAddressError(ProtocolError):
    code = "unknown_address"

    def __init__(self, address: str, known: Iterable[str]) -> None:
        names = sorted(known)
        hint = nearest(address, names, f"known addresses: {', '.join(names)}")
        super().__init__(f"there is no address {address[:200]}", hint)


class MissingArgumentError(ProtocolError):
    code = "missing_argument"

    def __init__(self, address: str, missing: str, expected: Iterable[str]) -> None:
        super().__init__(
            f"{address} lacks its argument {missing}", f"send {address} {' '.join(expected)}, then key value pairs"
        )


class WrongTypeError(ProtocolError):
    code = "wrong_type"

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name} is {shown(value)}; expected {expected}", f"send {name} as {expected}")


class BadValueError(ProtocolError):
    code = "bad_value"

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"{name} is {shown(value)}; expected {expected}", f"send {name} as {expected}")


class RelativePathError(ProtocolError):
    code = "relative_path"

    def __init__(self, name: str, value: str) -> None:
        super().__init__(
            f"{name} is {shown(value)}; expected an absolute path", "send the whole path, from the root or drive"
        )


class RegionOrderError(ProtocolError):
    code = "bad_region"

    def __init__(self, start_s: float, end_s: float) -> None:
        super().__init__(
            f"the region {start_s:g} s to {end_s:g} s is empty or reversed; expected 0 <= start < end",
            "send the region's start before its end, in seconds of the clip",
        )


class UnknownKeyError(ProtocolError):
    code = "unknown_key"

    def __init__(self, address: str, key: str, known: Iterable[str]) -> None:
        names = sorted(known)
        hint = nearest(key, names, f"known keys: {', '.join(names)}")
        super().__init__(f"{address} has no key {quoted(key)}", hint)


class DuplicateKeyError(ProtocolError):
    code = "duplicate_key"

    def __init__(self, address: str, key: str) -> None:
        super().__init__(f"{address} got the key {key} more than once", f"send {key} once")


class MissingValueError(ProtocolError):
    code = "missing_value"

    def __init__(self, address: str, key: object) -> None:
        super().__init__(f"{address} ends with {shown(key)}, a key without its value", "send keys and values in pairs")


class TokenError(BridgeError):
    code = "bad_token"

    def __init__(self, address: str, *, given: bool) -> None:
        what = "came with a wrong token" if given else "came without a token"
        hint = 'send the key token with the value of "token" in runtime.json, in the state folder of the user'
        super().__init__(f"{address} {what}", hint)


class ReplyFileError(BridgeError):
    code = "bad_reply_file"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"the reply file {path} is refused: {reason}",
            "name a new file that ends in .json, or one that Retake wrote as a reply before",
        )


class PathNotAllowedError(BridgeError):
    code = "path_not_allowed"

    def __init__(self, name: str, folder: Path, target: Path) -> None:
        leads = "" if folder == target else f", which leads to {target}"
        super().__init__(
            f"{name} is {folder}{leads}; expected a folder that results may lie in",
            "choose one beside the clip, in your project, your home or on a mounted volume, nothing hidden; "
            "or add this one to the setting allowed_folders",
        )


class ClipRefusedError(BridgeError):
    code = "file_unreadable"

    def __init__(self, name: str, path: str, what: str, setting: str = "") -> None:
        expected, hint = "an audio file", "use WAV, AIFF, FLAC, Ogg or MP3, or render the clip to WAV"
        if setting:
            expected, hint = "less", f"split the clip, or raise the setting {setting}"
        super().__init__(f"{name} {path} is {what}; expected {expected}", hint)


class JobError(BridgeError):
    """Something about a job that the client should know."""

    code = "job_error"


class UnknownJobError(JobError):
    code = "unknown_job"

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"there is no job {job_id!r}", "check the job id; it is the one that the request was sent with"
        )


class JobIdReusedError(JobError):
    code = "job_id_reused"

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"the job id {job_id!r} belongs to a different request", "choose a new job id for a new request"
        )


class JobFinishedError(JobError):
    code = "job_finished"

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(f"the job {job_id!r} is {state} already", "nothing is left to cancel")


class JobCancelledError(JobError):
    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("the job was cancelled", "nothing was written; ask again whenever you like")


class JobInterruptedError(JobError):
    code = "interrupted"

    def __init__(self) -> None:
        super().__init__("the daemon stopped before the job was done", "send the request again with a new job id")


class TooLateError(JobError):
    code = "too_late"

    def __init__(self, late_s: float) -> None:
        super().__init__(
            f"the job's deadline_unix passed {late_s:.1f} s before it could begin",
            "send it again with a new job id and a later deadline, or none",
        )


class BusyError(JobError):
    code = "busy"

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} has to wait: a job runs", "send it again when the job is done, or cancel the job")


class QueueFullError(JobError):
    code = "queue_full"

    def __init__(self, capacity: int) -> None:
        super().__init__(
            f"{capacity} jobs are waiting already", "wait for some of them, or cancel those that you no longer need"
        )


class WorkerDiedError(JobError):
    code = "worker_died"

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(
            f"the render process ended twice during this job (exit code {exit_code})",
            "most often memory ran out: try fewer candidates, a shorter region or a smaller model; the log says more",
        )


class FarmLostError(WorkerDiedError):
    code = "farm_lost"

    def __init__(self, reason: object) -> None:
        JobError.__init__(
            self, f"the render farm failed: {reason}", "look at the farm with `retake doctor` and `ray status`"
        )


class WorkerHungError(JobError):
    code = "worker_hung"

    def __init__(self, silence_s: float) -> None:
        super().__init__(
            f"the render process was stopped twice during this job, after {silence_s:.0f} s without a sign of life",
            "try a shorter clip, fewer candidates or a smaller model; if this computer is that slow, raise the setting "
            "worker_silence_s or worker_stuck_min",
        )


class UnforeseenError(JobError):
    code = "internal_error"

    def __init__(self, error: BaseException) -> None:
        reason = str(error) or "no reason was given"
        super().__init__(f"something failed that should not: {reason}", "the daemon's log has the details")


class JournalError(BridgeError):
    code = "journal_failed"

    def __init__(self, reason: object, hint: str) -> None:
        super().__init__(f"the journal cannot be used: {reason}", hint)


class FolderError(BridgeError):
    code = "output_failed"

    def __init__(self, folder: Path, reason: object, hint: str = "choose a folder that you may write to") -> None:
        super().__init__(f"the folder {folder} cannot be used: {reason}", hint)


class OutputTooLargeError(BridgeError):
    code = "output_too_large"

    def __init__(self, num_bytes: int, limit: int) -> None:
        super().__init__(
            f"the result would be {num_bytes / 1e6:.0f} MB long; at most {limit / 1e6:.0f} MB are allowed",
            "ask for fewer candidates or a shorter sound, or raise the setting max_output_bytes",
        )


class DiskFullError(BridgeError):
    code = "disk_full"

    def __init__(self, folder: Path, num_bytes: int, free_bytes: int) -> None:
        super().__init__(
            f"{num_bytes / 1e6:.0f} MB are needed in {folder}; {free_bytes / 1e6:.0f} MB are free",
            "free some disk space, or choose a folder on another disk with output_dir",
        )


class AudioLibraryMissingError(BridgeError):
    code = "no_audio_library"

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"nothing can be played without PortAudio: {reason}",
            "install it: `apt install libportaudio2` on Debian and Ubuntu, `dnf install portaudio` on Fedora; "
            "on Windows and macOS `pip install --force-reinstall sounddevice` brings it",
        )


class NoOutputDeviceError(BridgeError):
    code = "no_output_device"

    def __init__(self) -> None:
        super().__init__(
            "this machine has no audio output that can be used now",
            "connect or switch on a device, or free one that another program holds: `retake preview --devices`",
        )


class DeviceUnknownError(BridgeError):
    code = "device_unknown"

    def __init__(self, device: str, known: Iterable[str]) -> None:
        super().__init__(
            f"there is no output device with {device[:80]!r} in its name", f"there are: {', '.join(known)[:800]}"
        )


class PreviewFileMissingError(BridgeError):
    code = "file_missing"

    def __init__(self, path: str) -> None:
        super().__init__(f"there is no file at {path}", "check the path; the file may have been moved or renamed")


class PreviewFileError(BridgeError):
    code = "file_unreadable"

    def __init__(self, path: str, reason: object) -> None:
        super().__init__(f"{path} cannot be played: {reason}", "choose a WAV, AIFF, FLAC, Ogg or MP3 file")


class PreviewRegionError(BridgeError):
    code = "bad_region"

    def __init__(self, start_s: float, duration_s: float) -> None:
        super().__init__(
            f"start_s is {start_s:g} s, but there are only {duration_s:g} s to play", "start before the end of the file"
        )


class PreviewChannelsError(BridgeError):
    code = "too_many_channels"

    def __init__(self, path: str, num_channels: int) -> None:
        super().__init__(
            f"{path} has {num_channels} channels; expected one or two", "play a mono or stereo version of it"
        )


class PreviewFailedError(BridgeError):
    code = "preview_failed"

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"the preview failed: {reason}",
            "try again, or another device (`retake preview --devices`); the daemon's log says more",
        )


class PreviewReplacedError(BridgeError):
    code = "preview_replaced"

    def __init__(self) -> None:
        super().__init__("another preview, or a stop, came before this one sounded", "ask again to hear it")


class SettingsError(BridgeError):
    code = "bad_setting"

    def __init__(self, name: str, value: object, source: str, expected: str) -> None:
        super().__init__(
            f"the setting {name} is {value!r} in {source}; expected {expected}", f"set {name} to {expected}"
        )
        self.name, self.expected = name, expected


class UnknownSettingError(SettingsError):
    def __init__(self, name: str, value: object, source: str, known: Iterable[str]) -> None:
        names = list(known)
        super().__init__(name, value, source, "")
        self.text = (
            f"there is no setting {name}, which is {value!r} in {source}; {nearest(name, names, 'nor one like it')}"
        )
        self.hint = f"take it out, or name one of {', '.join(names)}"
        self.args = (self.text,)


class SettingsFileError(SettingsError):
    def __init__(self, file: Path, reason: object) -> None:
        super().__init__("config", str(file), "the settings", "")
        self.text = without_numbers(f"the settings file (config) {file} is not a readable TOML file: {reason}")
        self.hint = "mend it or move it away; `retake settings --example` prints one that works"
        self.args = (self.text,)


class PortBusyError(BridgeError):
    code = "port_busy"

    def __init__(self, first: int, last: int) -> None:
        super().__init__(
            f"the ports {first} to {last} are all in use", "choose another one with --port, or 0 for any free one"
        )


class DaemonMissingError(BridgeError):
    code = "no_daemon"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "start it with `retake daemon`; `retake-send --start` does so by itself")


class LiveMissingError(BridgeError):
    code = "no_live"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, "start Live, and choose Retake under Settings, Link/Tempo/MIDI, Control Surface")


class WaitedTooLongError(BridgeError):
    code = "timeout"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no result of {job_id or 'the request'} within the given time", "a job goes on; ask later")


class RequestFileError(BridgeError):
    code = "bad_request_file"

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(
            f"{path} is not a request: {reason}", 'expected JSON such as {"operation": "generate", "prompt": "rain"}'
        )
