"""Mistyped numbers on the command lines of the bridge: the engine's own sentence, in no program's words."""

import pytest

from bridge.clients import history, send
from bridge.farm import sizing as farm_sizing
from bridge.preview import command as preview_command


@pytest.mark.parametrize(
    ("program", "words", "sentence"),
    [
        pytest.param(preview_command, ["a.wav", "--level-db", "loud"], "'loud' is no number", id="preview"),
        pytest.param(preview_command, ["a.wav", "--start", "1:20"], "'1:20' is no number", id="preview, a time"),
        pytest.param(history, ["--limit", "1.5"], "'1.5' is no whole number", id="jobs"),
        pytest.param(farm_sizing, ["t.json", "--artists", "few"], "'few' is no whole number", id="farm-size"),
        pytest.param(farm_sizing, ["t.json", "--p95", "5s"], "'5s' is no number", id="farm-size, seconds"),
        pytest.param(send, ["status", "--timeout", "soon"], "'soon' is no number", id="send"),
    ],
)
def test_a_word_that_is_no_number_is_refused_in_plain_words(program, words, sentence, capsys):
    with pytest.raises(SystemExit) as leaving:
        program.main(words)
    said = capsys.readouterr().err

    assert leaving.value.code == 2
    assert sentence in said
    assert "float" not in said
    assert "int value" not in said
