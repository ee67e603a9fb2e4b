"""The stand-in for REAPER forgives nothing: what it lets pass is what REAPER documents."""

import pytest
from lupa.lua54 import LuaError

from tests.daw_scripts.reaper.reaper_accessor import Accessor
from tests.daw_scripts.reaper.reaper_host import split_command, split_dialog
from tests.daw_scripts.reaper.reaper_project import Source
from tests.daw_scripts.reaper.reaper_signatures import ScriptError


@pytest.fixture
def refuse(host, tmp_path):
    """Run a line of Lua that must be refused: the words of the refusal."""

    def refuse(line):
        path = tmp_path / "wrong.lua"
        path.write_text(line)
        with pytest.raises((LuaError, ScriptError)) as refused:
            host.run(path)
        host.violations.clear()
        host.scripts.clear()
        return str(refused.value)

    return refuse


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("reaper.GetSelectedMediaItm(0, 0)", "no function GetSelectedMediaItm"),
        ("reaper.CountSelectedMediaItems()", "takes 1 arguments, not 0"),
        ("reaper.GetMediaItem(0, 0, 0)", "takes 2 arguments, not 3"),
        ("reaper.GetMediaItem(0, 0.5)", "0.5 is no integer"),
        ("reaper.GetMediaItem(0, '0')", "'0' is no integer"),
        ("reaper.GetExtState('Retake', 1)", "1 is no string"),
        ("reaper.PreventUIRefresh(true)", "True is no integer"),
        ("reaper.GetTrackGUID(reaper.GetMediaItem(0, 0))", "no MediaTrack"),
        ("reaper.GetMediaItemInfo_Value(reaper.GetMediaItem(0, 0), 'D_POS')", "no value D_POS"),
        ("reaper.SetMediaItemInfo_Value(reaper.GetMediaItem(0, 0), 'D_LENGTH', 1)", "outside an undo block"),
        ("reaper.Undo_EndBlock2(0, 'x', 4)", "never begun"),
        ("reaper.PreventUIRefresh(-1)", "more PreventUIRefresh"),
        ("reaper.Foo = 1", "may not set reaper.Foo"),
        ("position = 1", "accidental global: position"),
        ("gfx.drawstr('x')", "without a window"),
        ("gfx.mouse_x = 1", "cannot be set"),
        ("reaper.SetExtState('a', 'b', 'two\\nlines', true)", "line break"),
    ],
)
@pytest.mark.usefixtures("item")
def test_refuses(refuse, line, words):
    assert words in refuse(line)


def test_a_pointer_to_a_deleted_item_is_refused(host, project, item, tmp_path):
    path = tmp_path / "late.lua"
    path.write_text(
        "local item = reaper.GetMediaItem(0, 0) "
        "reaper.defer(function() reaper.GetMediaItemInfo_Value(item, 'D_VOL') end)"
    )
    host.run(path)
    project.delete(item)
    with pytest.raises((LuaError, ScriptError), match="no MediaItem"):
        host.tick()
    host.violations.clear()
    host.scripts.clear()


@pytest.mark.usefixtures("project")
def test_an_accessor_stops_at_the_end_of_the_item(item):
    item.values["D_LENGTH"] = 0.1

    assert Accessor(item.active_take).read(44_100, 1, 0.0, 11_025).shape == (4_410, 1)


def test_undo_brings_everything_back(project, item, clips):
    before = project.state()
    project.begin_block()
    project.add_item(project.add_track(), Source.of_file(clips["stereo"]))
    item.takes[0].values["D_VOL"] = 0.1
    project.end_block("a step")

    assert project.undo() == "a step"
    assert project.state() == before


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("\"a b\" 'c \"d' `e 'f`", ["a b", 'c "d', "e 'f"]),
        ("a;b|c >d", ["a;b|c", ">d"]),
        ('"" x', ["", "x"]),
    ],
)
def test_command_lines_are_split_at_spaces_only(command, words):
    assert split_command(command) == words


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("I'm enlightened,I am too", ["I'm enlightened,I am too"], id="the reference's own example"),
        pytest.param("'a', b", ["'a'", " b"], id="an even number of quotes"),
        pytest.param('12" vinyl,b', ['12" vinyl,b'], id="a lone double quote"),
        pytest.param("a (b,c", ["a (b,c"], id="a bracket that is not closed"),
        pytest.param("a (b),c", ["a (b)", "c"], id="one that is"),
        pytest.param("a),b", ["a)", "b"], id="one that was never opened"),
        pytest.param("it’s “so”,b", ["it’s “so”", "b"], id="typographic quotes"),
    ],
)
def test_a_dialog_pairs_quotes_and_brackets(text, parts):
    """The community's reference of GetUserInputs: entries hold even numbers of quotes, and close their brackets."""
    assert split_dialog(text, ",") == parts


def test_a_dialog_shows_what_a_lone_quote_swallows_in_one_field(host):
    host.answers.append({"A": "x"})

    assert host.answer_dialog("t", 3, "A,B,C,separator=\n", "a dog's bark\n1\n2") == (True, "x\n\n")
    assert host.dialogs == [("t", {"A": "a dog's bark\n1\n2", "B": "", "C": ""})]


def test_a_file_of_settings_takes_quotes_around_a_value_away(host, tmp_path):
    host.kept_state["Retake", "prompt"] = '"rain"'
    path = tmp_path / "read.lua"
    path.write_text('reaper.ShowMessageBox(reaper.GetExtState("Retake", "prompt"), "t", 0)')
    host.run(path)

    assert host.messages == [("t", "rain")]
