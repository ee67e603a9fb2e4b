"""Live's extension: its own tests in Node's runner against the real daemon, what it sends, and how it is packed."""

import io
import json
import os
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from pythonosc.osc_message_builder import build_msg

from bridge import __version__
from bridge.wire.messages import Cancel, Generate, Inpaint, Restyle, Upscale, Vary
from bridge.wire.osc_codec import decode
from bridge.wire.parsing import parse_request

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "daw_scripts" / "ableton" / "extension"
HERE = Path(__file__).parent


@pytest.fixture
def run_tests(run_node, tmp_path, clip):
    """Run a file of Node tests; give back how it ended, and the requests that were sent."""

    def run(name, daemon, *flags):
        sent = tmp_path / "sent"
        sent.touch()
        own = {
            "RETAKE_TEST_AUDIO": clip,
            "RETAKE_TEST_FOLDER": tmp_path,
            "RETAKE_TEST_RUNTIME": daemon.storage / "runtime.json",
            "RETAKE_TEST_SENT": sent,
        }
        own["RETAKE_TEST_DAEMON"] = json.dumps(daemon.command)
        environment = daemon.environment | {key: str(value) for key, value in own.items()}
        done = run_node("--test", "--test-reporter=tap", *flags, HERE / name, env=environment)
        return done, [bytes.fromhex(line) for line in sent.read_text().split()]

    return run


def counts(done):
    return {name: int(count) for name, count in re.findall(r"^# (\w+) (\d+)$", done.stdout, re.MULTILINE)}


def check_passed(done, at_least):
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(done)["pass"] >= at_least
    assert not any(counts(done)[name] for name in ("fail", "cancelled", "skipped", "todo"))


@pytest.mark.slow
def test_each_entry_and_each_mishap_with_a_real_daemon(run_tests, daemon):
    """Every datagram that the extension sent is a request that the protocol's own parser takes."""
    done, sent = run_tests("extension.test.mjs", daemon)

    check_passed(done, 25)
    requests = [parse_request(*message) for datagram in sent for message in decode(datagram)]
    assert len(requests) == len(sent)
    assert {type(request) for request in requests} >= {Restyle, Inpaint, Generate, Upscale, Vary, Cancel}
    renders = [request for request in requests if not isinstance(request, Cancel)]
    assert all(request.client == "Ableton Live" for request in renders if hasattr(request, "client"))


def test_the_fake_is_strict(run_tests, daemon):
    done, sent = run_tests("strictness.test.mjs", daemon)

    check_passed(done, 24)
    assert sent == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_daemon_that_dies_over_a_job_has_a_successor(run_tests, start_daemon):
    done, sent = run_tests("succession.test.mjs", start_daemon())

    check_passed(done, 2)
    requests = [parse_request(*message) for datagram in sent for message in decode(datagram)]
    assert len({request.job for request in requests}) == 2


@pytest.mark.slow
def test_the_shipped_model_restyles_into_two_take_lanes(run_tests, nano_daemon):
    done, _ = run_tests("extension.test.mjs", nano_daemon, "--test-name-pattern=two candidates come back")

    check_passed(done, 1)


class TestPackage:
    """What the build script makes of our sources and the user's copy of the SDK."""

    @pytest.fixture
    def sdk(self, tmp_path):
        """The SDK as Ableton hands it out: npm's .tgz."""
        with tarfile.open(tmp_path / "sdk.tgz", "w:gz") as archive:
            archive.add(HERE / "strict_sdk", "package")
        return tmp_path / "sdk.tgz"

    def build(self, run_node, *flags):
        return run_node(SOURCE / "build.mjs", *flags)

    def test_holds_a_manifest_and_one_file_that_says_activate(self, run_node, sdk, tmp_path):
        target = tmp_path / "Retake.ablx"
        done = self.build(run_node, "--sdk", sdk, "--out", target)

        assert (done.returncode, done.stdout) == (0, f"wrote {target}\n")
        with zipfile.ZipFile(target) as package:
            assert package.testzip() is None
            assert package.namelist() == ["manifest.json", "extension.js"]
            manifest = json.loads(package.read("manifest.json"))
            bundle = package.read("extension.js")
        assert manifest["entry"] == "extension.js"
        assert manifest["minimumApiVersion"] == "1.0.0"
        (tmp_path / "extension.js").write_bytes(bundle)
        script = "console.log(Object.keys(require(process.argv[1])))"
        assert run_node("-e", script, tmp_path / "extension.js").stdout == "[ 'activate' ]\n"

    def test_is_the_same_each_time(self, run_node, sdk, tmp_path):
        for name in ("one", "two"):
            assert self.build(run_node, "--sdk", sdk, "--out", tmp_path / name).returncode == 0

        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_has_the_version_of_the_project(self):
        manifest = json.loads((SOURCE / "manifest.json").read_text(encoding="utf-8"))

        assert manifest["version"] == __version__

    @pytest.mark.parametrize(
        ("files", "words"),
        [
            pytest.param(None, "there is no SDK at", id="nothing there"),
            pytest.param({"package/readme.md": "hello"}, "this is not the Extensions SDK", id="something else"),
            pytest.param({"package/dist/index.cjs": 'require("left-pad")'}, "left-pad", id="needs another package"),
        ],
    )
    def test_that_cannot_be_made_is_a_sentence(self, run_node, tmp_path, files, words):
        sdk = tmp_path / "other.tgz"
        if files is not None:
            with tarfile.open(sdk, "w:gz") as archive:
                for name, text in files.items():
                    entry = tarfile.TarInfo(name)
                    entry.size = len(text)
                    archive.addfile(entry, io.BytesIO(text.encode()))
        done = self.build(run_node, "--sdk", sdk, "--out", tmp_path / "Retake.ablx")

        assert done.returncode == 1
        assert words in done.stderr
        assert not (tmp_path / "Retake.ablx").exists()

    def test_the_sdk_is_asked_for(self, run_node):
        done = self.build(run_node)

        assert done.returncode == 1
        assert "usage: node build.mjs --sdk" in done.stderr


def test_udp_works_under_the_permission_model_of_lives_host(run_node, daemon, tmp_path):
    """Node 24 with the flags of Live's extension host: its files are fenced in, loopback is not."""
    script = tmp_path / "ask.cjs"
    osc, runtime = SOURCE / "src" / "osc.js", daemon.storage / "runtime.json"
    script.write_text(
        f"""const osc = require({json.dumps(str(osc))});
        const {{ port }} = JSON.parse(require("node:fs").readFileSync({json.dumps(str(runtime))}));
        const socket = require("node:dgram").createSocket("udp4");
        socket.on("message", (bytes) => {{ console.log(JSON.stringify(osc.decode(bytes))); socket.close(); }});
        socket.bind(0, "127.0.0.1", () => socket.send(osc.encode("/retake/version", []), port, "127.0.0.1"));
        try {{ require("node:fs").readFileSync({json.dumps(str(daemon.state / "runtime.json"))}); }}
        catch (error) {{ console.log(error.code); }}"""
    )
    folders = [tmp_path, SOURCE, daemon.storage]
    flags = [
        "--permission",
        "--allow-addons",
        "--allow-child-process",
        *(f"--allow-fs-read={path}" for path in folders),
    ]
    lines = run_node(*flags, script, env=os.environ).stdout.split("\n")

    assert lines[0] == "ERR_ACCESS_DENIED"
    assert json.loads(lines[1])["address"] == "/retake/version.reply"


def test_what_javascript_writes_the_daemon_reads_and_the_other_way_round(run_node):
    """Each type of the protocol, through both codecs."""
    osc = json.dumps(str(SOURCE / "src" / "osc.js"))
    theirs = build_msg("/b", ["ab", 7, True, False, 0.5]).dgram.hex()
    script = f"""const osc = require({osc});
    const args = [["s", "π\\0x"], ["s", ""], ["s", "four"], ["i", -3], ["h", 4294967295], ["d", 0.1], ["f", 0.5]];
    const bytes = osc.encode("/a", args);
    console.log(bytes.toString("hex"));
    const others = [bytes, Buffer.from("{theirs}", "hex"), Buffer.from("garbage"), bytes.subarray(0, 30)];
    console.log(JSON.stringify(others.map(osc.decode)));"""
    encoded, decoded = run_node("-e", script).stdout.split("\n")[:2]

    expected = ["π x", "", "four", -3, 4294967295, 0.1, 0.5]
    assert [list(args) for _, args in decode(bytes.fromhex(encoded))] == [expected]
    assert json.loads(decoded) == [
        {"address": "/a", "args": expected},
        {"address": "/b", "args": ["ab", 7, True, False, 0.5]},
        None,
        None,
    ]
