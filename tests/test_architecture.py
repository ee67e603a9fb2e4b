"""Imports run downwards: a room imports only from floors below it, never up and never sideways."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
# Top floor first. Rooms on one floor are neighbours and must not know each other.
FLOORS = [
    # the bridge: messages, jobs and files
    {"bridge.__main__"},
    # the tray app, a client of the daemon
    {"bridge.desktop.app", "bridge.desktop.start"},
    {"bridge.desktop.window", "bridge.desktop.tray", "bridge.desktop.single_instance"},
    {"bridge.desktop.create_page", "bridge.desktop.jobs_page", "bridge.desktop.history_page"}
    | {"bridge.desktop.models_page", "bridge.desktop.settings_page", "bridge.desktop.first_run_page"}
    | {"bridge.desktop.about_box"},
    {"bridge.desktop.clip_well", "bridge.desktop.compare_view", "bridge.desktop.take_card"}
    | {"bridge.desktop.history_list", "bridge.desktop.check_row", "bridge.desktop.knobs"}
    | {"bridge.desktop.strip"},
    {"bridge.desktop.studio"},
    {"bridge.desktop.board", "bridge.desktop.past", "bridge.desktop.errands", "bridge.desktop.link"}
    | {"bridge.desktop.pieces", "bridge.desktop.files_out", "bridge.desktop.sound_view"}
    | {"bridge.desktop.wish", "bridge.desktop.live_line", "bridge.desktop.updates"}
    | {"bridge.desktop.daemon_settings", "bridge.desktop.fields", "bridge.desktop.flow"},
    {"bridge.desktop.entries", "bridge.desktop.audition", "bridge.desktop.autostart"}
    | {"bridge.desktop.icons", "bridge.desktop.look", "bridge.desktop.model_list", "bridge.desktop.picture"}
    | {"bridge.desktop.preferences", "bridge.desktop.script_hosts"},
    {"bridge.desktop"},
    # the daemon and its other clients
    {"bridge.daemon", "bridge.support", "bridge.history"},
    {"bridge.support_contents"},
    {"bridge.doctor"},
    {"bridge.doctor_checks.daemon", "bridge.doctor_checks.device", "bridge.doctor_checks.models"}
    | {"bridge.doctor_checks.outputs", "bridge.doctor_checks.self_test", "bridge.doctor_checks.versions"}
    | {"bridge.doctor_checks.workstations", "bridge.doctor_checks.farm", "bridge.doctor_checks.journal"},
    {"bridge.doctor_checks.folders", "bridge.doctor_checks.port_owner"},
    {"bridge.doctor_checks.settings_file"},
    {"bridge.batch"},
    {"bridge.batch_run", "bridge.sendw"},
    {"bridge.desk", "bridge.live", "bridge.send", "bridge.status", "bridge.install_scripts"}
    | {"bridge.settings_command", "bridge.preview_command", "bridge.doctor_checks.surroundings"},
    {
        "bridge.audience",
        "bridge.postponement",
        "bridge.desk_rules",
        "bridge.farm_sizing",
        "bridge.farm",
        "bridge.farm_keeper",
        "bridge.farm_process",
    },
    {"bridge.farm_place"},
    {"bridge.client", "bridge.launch", "bridge.osc_server", "bridge.render_process", "bridge.worker", "bridge.render"}
    | {"bridge.reply_witness", "bridge.install_report", "bridge.journal_excerpt"}
    | {"bridge.player", "bridge.preview"},
    {"bridge.option_parser"},
    {"bridge.reply_files", "bridge.pruning", "bridge.batch_list", "bridge.batch_manifest", "bridge.existing_takes"},
    {"bridge.compose", "bridge.journal", "bridge.osc_codec", "bridge.pipe", "bridge.reply_file", "bridge.audio_io"}
    | {"bridge.script_memory", "bridge.script_parts", "bridge.player_deck"},
    {"bridge.journal_repair"},
    {"bridge.paths", "bridge.journal_rows"},
    {"bridge.jobs", "bridge.protocol", "bridge.job_queue", "bridge.daws", "bridge.reapack", "bridge.script_folder"}
    | {"bridge.player_device", "bridge.player_file"},
    {"bridge.messages", "bridge.settings", "bridge.runtime_copies", "bridge.places"},
    {"bridge.arguments", "bridge.discovery", "bridge.install_errors", "bridge.support_errors"}
    | {"bridge.batch_errors", "bridge.farm_models"}
    | {"bridge.private_folder", "bridge.doctor_checks.asking"},
    {"bridge.farm_privacy"},
    {"bridge.farm_actor", "bridge.farm_picture", "bridge.farm_plan", "bridge.wire_errors"}
    | {"bridge.journal_errors", "bridge.file_threads"},
    {"bridge.entry"},
    {"bridge.errors", "bridge.child_pipes", "bridge.program", "bridge.job_log", "bridge.redaction", "bridge.examine"}
    | {"bridge.doctor_checks.finding", "bridge.plain_file"},
    {"bridge.plain_words"},
    {"bridge", "bridge.doctor_checks"},
    # the engine: command line and recipes
    {
        "engine.cli.benchmark",
        "engine.cli.devices",
        "engine.cli.evaluation",
        "engine.cli.models",
        "engine.cli.rendering",
        "engine.training.cli",
    },
    {"engine.cli"},
    {"engine.cli.commands", "engine.cli.outputs", "engine.cli.terminal"},
    {"engine.cli.arguments"},
    # the paper in small
    {"engine.evaluation.paper.run", "engine.evaluation.paper.plots"},
    {"engine.evaluation.paper.report", "engine.evaluation.paper.trained", "engine.evaluation.paper.sampled"},
    {"engine.evaluation.paper.tables", "engine.evaluation.paper.net"},
    {"engine.evaluation.paper.verdicts", "engine.evaluation.paper.material"},
    {"engine.benchmark.published", "engine.benchmark.long"},
    {"engine.benchmark.peer"},
    {"engine.benchmark", "engine.benchmark.clock"},
    {"engine.training.train_draft"},
    {"engine.training.train_clap", "engine.training.train_ldm", "engine.training.train_vae"}
    | {"engine.training.train_vocoder", "engine.evaluation.train_classifier", "engine.evaluation.evaluate"}
    | {"engine.evaluation.edits", "engine.evaluation.recorded_edits"},
    {"engine.training.library", "engine.training.recorder", "engine.training.rates"},
    {"engine.training.objective"},
    {
        "engine.training.datasets",
        "engine.training.turns",
        "engine.training.parts",
        "engine.training.loop",
        "engine.evaluation.folders",
    }
    | {"engine.evaluation.teaching_clips"},
    {"engine.training.samples"},
    {"engine.evaluation.paper.listening", "engine.evaluation.paper.prompts"},
    {"engine.evaluation.measurements", "engine.evaluation.listener_weights"},
    {"engine.evaluation.listening", "engine.evaluation.round_trip", "engine.evaluation.edit_report"},
    {
        "engine.training.discriminators",
        "engine.training.ema",
        "engine.training.noise_levels",
        "engine.training.lengths",
        "engine.training.losses",
        "engine.training.workers",
    }
    | {"engine.evaluation.classifier", "engine.evaluation.captions_file", "engine.evaluation.clap_score"}
    | {"engine.evaluation.cnn14", "engine.evaluation.vggish"}
    | {"engine.evaluation.inception", "engine.evaluation.divergence"}
    | {"engine.evaluation.kernel_distance"},
    {"engine.evaluation.frechet", "engine.evaluation.picture", "engine.evaluation.reconstruction"},
    {"engine.training.cut_progress"},
    {"engine.training.manifest", "engine.training.curves", "engine.training.low_rank"}
    | {"engine.training.option_values", "engine.training.pace", "engine.training.precision"}
    | {"engine.evaluation.attribute_ear"},
    {"engine.training.training_errors"},
    {"engine.evaluation.report"},
    {"engine.evaluation.gradients", "engine.evaluation.contours"},
    {"engine.evaluation.paper.parts"},
    {"engine.evaluation.paper.cells", "engine.evaluation.paper.encoders"},
    {"engine.training", "engine.evaluation", "engine.evaluation.evaluation_errors"}
    | {"engine.evaluation.paper", "engine.evaluation.paper.budget", "engine.evaluation.paper.published"}
    | {"engine.evaluation.paper.variants"},
    # the engine: the front door and what a musician asks for
    {"engine"},
    {"engine.engine"},
    {"engine.story"},
    {"engine.operations"},
    {"engine.operations.vary", "engine.operations.together"},
    {"engine.operations.generate", "engine.operations.inpaint", "engine.operations.restyle"}
    | {"engine.operations.upscale"},
    {"engine.operations.tries"},
    {"engine.operations.sampling", "engine.operations.observed"},
    {"engine.operations.condition", "engine.operations.contour", "engine.operations.slices"},
    {"engine.operations.windows", "engine.operations.excerpt", "engine.operations.patches"}
    | {"engine.operations.plan", "engine.operations.fitting"},
    {"engine.operations.request", "engine.operations.bands", "engine.operations.splice"}
    | {"engine.operations.bandwidth", "engine.operations.loudness", "engine.operations.surroundings"}
    | {"engine.operations.air", "engine.operations.slope"},
    {"engine.operations.progress", "engine.operations.regions"}
    | {"engine.operations.limiter", "engine.operations.frames"},
    {"engine.sounds"},
    {"engine.sounds.mixtures"},
    {"engine.sounds.rendering", "engine.sounds.mixture_captions", "engine.sounds.spoken"},
    {"engine.sounds.captions"},
    {"engine.sounds.corpus"},
    {"engine.sounds.animals", "engine.sounds.electronic", "engine.sounds.human", "engine.sounds.impacts"}
    | {"engine.sounds.machines", "engine.sounds.music", "engine.sounds.weather"}
    | {"engine.sounds.ambience", "engine.sounds.wildlife"}
    | {"engine.sounds.vehicles", "engine.sounds.household"}
    | {"engine.sounds.instruments", "engine.sounds.interface", "engine.sounds.voices", "engine.sounds.weapons"},
    {"engine.sounds.synthesis"},
    {"engine.sounds.counts"},
    # the engine: the model
    {"engine.checkpoints.download"},
    {"engine.checkpoints.convert"},
    {"engine.checkpoints.store", "engine.checkpoints.assemble", "engine.checkpoints.provenance"},
    {"engine.checkpoints.foreign", "engine.checkpoints.listeners"} | {"engine.checkpoints.blueprint"},
    {"engine.checkpoints.config_json"},
    {"engine.presets", "engine.checkpoints.catalogue", "engine.checkpoints.card"}
    | {"engine.checkpoints.small_weights"},
    {"engine.audioldm", "engine.checkpoints.foreign_shapes"},
    {"engine.checkpoints.foreign_files", "engine.checkpoints.hub_listing", "engine.checkpoints.transfer"},
    {"engine.checkpoints.shards", "engine.checkpoints.pickles", "engine.checkpoints.locations"},
    {"engine.checkpoints.foreign_names", "engine.checkpoints.published", "engine.checkpoints.file_kinds"},
    {"engine.models.clap", "engine.models.pocket_clap", "engine.models.unet", "engine.models.vae"}
    | {"engine.models.vocoder", "engine.diffusion.samplers"},
    {"engine.diffusion.guidance", "engine.models.clap_tokenizer", "engine.models.clap_towers", "engine.models.layers"}
    | {"engine.models.clap_interface"},
    {
        "engine.diffusion.schedule",
        "engine.mel",
        "engine.sinc",
        "engine.audio",
        "engine.checkpoints",
        "engine.checkpoints.connection",
        "engine.checkpoints.download_errors",
        "engine.checkpoints.import_errors",
        "engine.checkpoints.tensor_file",
        "engine.models",
        "engine.models.fast_convolution",
        "engine.diffusion",
    },
    {"engine.device", "engine.wav_writer", "engine.sound_files.reader", "engine.lists"}
    | {"engine.checkpoints.model_files"},
    {"engine.sound_files.riff"},
    {"engine.sound_files.flac", "engine.sound_files.iff", "engine.sound_files.mpeg", "engine.sound_files.ogg"},
    {"engine.sound_files", "engine.sound_files.parts"},
    {"engine.defaults", "engine.drafts", "engine.errors", "engine.file_names", "engine.text_file"}
    | {"engine.option_parser"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
HEAVY = ("torch", "numpy", "soundfile", "sounddevice", "transformers", "laion_clap", "ray")


def rooms() -> Iterator[tuple[str, Path]]:
    for path in sorted([*HOUSE.glob("engine/**/*.py"), *HOUSE.glob("bridge/**/*.py")]):
        yield ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively; hint: say from where"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in FLOOR else str(node.module)


@pytest.mark.parametrize(("room", "path"), list(rooms()), ids=[room for room, _ in rooms()])
def test_every_room_imports_only_from_floors_below(room, path):
    assert room in FLOOR, f"{room} has no floor yet; hint: give it a place in FLOORS"
    for name in imports(path):
        if name.split(".")[0] in ("engine", "bridge"):
            assert FLOOR[name] > FLOOR[room], f"{room} looks up or sideways to {name}"


def test_every_floor_is_lived_on():
    assert set(FLOOR) == {room for room, _ in rooms()}


def test_the_bridge_enters_the_engine_by_its_front_door_only():
    found = {room: [n for n in imports(path) if n.split(".")[0] == "engine"] for room, path in rooms()}
    inside = {room: names for room, names in found.items() if room.startswith("bridge") and names}

    doors = {"bridge.render", "bridge.audio_io", "bridge.player_file", "bridge.desktop.picture", "bridge.batch_list"}
    doors |= {"bridge.option_parser"}
    assert set(inside) <= doors
    assert {name for names in inside.values() for name in names} == {"engine"}


def test_qt_is_known_in_the_tray_app_only():
    for room, path in rooms():
        if not room.startswith("bridge.desktop"):
            assert not [name for name in imports(path) if name.split(".")[0] == "PySide6"], room


def test_the_engine_never_hears_of_the_bridge():
    for room, path in rooms():
        if room.split(".")[0] == "engine":
            assert not [name for name in imports(path) if name.split(".")[0] in ("bridge", "pythonosc")]


@pytest.mark.parametrize("module", ["bridge.daemon", "bridge.send", "bridge.status", "bridge.preview_command"])
def test_the_daemon_and_its_clients_load_nothing_heavy(module):
    script = f"import sys, {module}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=HOUSE)

    assert done.stdout.split() == []


@pytest.mark.parametrize(("room", "path"), list(rooms()), ids=[room for room, _ in rooms()])
def test_every_room_opens_with_its_purpose_and_keeps_to_one_size(room, path):
    text = path.read_text(encoding="utf-8")

    assert ast.get_docstring(ast.parse(text)), f"{room} does not say what it is for"
    assert text.count("\n") <= 500
    assert path.stem not in ("utils", "helpers", "common", "misc", "base", "manager")


def test_the_player_loads_nothing_heavy_and_of_the_engine_its_reader_only():
    heavy = ("torch", "scipy", "asyncio", "engine.engine", "engine.operations", "engine.audio")
    script = f"import sys, bridge.player; print(*(m for m in {heavy!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=HOUSE)

    assert done.stdout.split() == []
