"""SAME around diffusers' layers: the small models' chunks, and long sounds in pieces."""

import pytest
import torch

from engine.families.stable_audio.same import PIECE_ROWS, decode_rows, encode_rows

STRIDE, ROWS_IN_CHUNK = 4, 2


def attended_one_by_one(layers, rows):
    """The definition, row by row: the first half of the layers on pairs of rows, the second on pairs one row later."""
    count, tokens, width = rows.shape
    middle = len(layers) // 2

    def paired(sequence, chosen):
        pairs = []
        for first in range(0, len(sequence), ROWS_IN_CHUNK):
            pair = sequence[first : first + ROWS_IN_CHUNK].reshape(1, ROWS_IN_CHUNK * tokens, width)
            for layer in chosen:
                pair = layer(pair)
            pairs.append(pair.reshape(ROWS_IN_CHUNK, tokens, width))
        return torch.cat(pairs)

    rows = paired(rows, layers[:middle])
    shifted = torch.cat([rows[:1], rows, rows[-1:]])
    return paired(shifted, layers[middle:])[1 : 1 + count]


@torch.no_grad()
@pytest.mark.parametrize("rows", [2, 6, 10])
def test_the_small_models_encode_in_chunks(small, rows):
    block = small.same.encoder.blocks[0]
    patches = torch.randn(1, 8, rows * STRIDE)

    encoded = block(patches)

    inside = block.mapping(patches)[0].T.reshape(rows, STRIDE, -1)
    tokens = torch.cat([inside, block.new_tokens.expand(rows, 1, -1)], dim=1)
    expected = attended_one_by_one(list(block.transformers), tokens)[:, -1].T
    torch.testing.assert_close(encoded[0], expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("rows", [2, 6, 10])
def test_and_decode_in_chunks(small, rows):
    block = small.same.decoder.blocks[0]
    latent = torch.randn(1, 16, rows)

    decoded = block(latent)

    tokens = torch.cat([latent[0].T[:, None], block.new_tokens.expand(rows, STRIDE, -1)], dim=1)
    expected = block.mapping(attended_one_by_one(list(block.transformers), tokens)[:, 1:].flatten(0, 1).T[None])
    torch.testing.assert_close(decoded, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_an_odd_number_of_rows_is_completed_to_whole_chunks(small):
    latent = torch.randn(2, 6, 5)

    decoded = decode_rows(small.same, latent, small.config.same)

    assert decoded.shape == (2, 2, 5 * 16)


@torch.no_grad()
def test_long_sounds_in_pieces_are_the_same_sound(medium):
    """Each layer sees one row further to each side, and the pieces overlap by all of them."""
    config, rows = medium.config.same, 2 * PIECE_ROWS + 37
    waveform = torch.randn(1, 2, rows * 16)

    latent = encode_rows(medium.same, waveform, config)
    made = decode_rows(medium.same, latent, config)

    whole = medium.same.encode(waveform).latents
    torch.testing.assert_close(latent, whole, atol=1e-3, rtol=1e-3)  # positions differ, and are rounded
    torch.testing.assert_close(made, medium.same.decode(whole).sample, atol=1e-3, rtol=1e-3)
