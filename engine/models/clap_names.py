"""What transformers calls the parameters of CLAP whose names here, and on disk, are laion-clap's."""

# laion-clap's names, which are ours -> transformers'
_TOWERS = (
    ("text_branch.", "text_model."),
    ("audio_branch.", "audio_model.audio_encoder."),
    ("_projection.0.", "_projection.linear1."),
    ("_projection.2.", "_projection.linear2."),
)
_SWIN = (  # longer names first: transformers calls two layers `output.dense`
    (".attn.relative_position", ".attention.self.relative_position"),
    (".attn.proj.", ".attention.output.dense."),
    (".mlp.fc1.", ".intermediate.dense."),
    (".mlp.fc2.", ".output.dense."),
    (".norm1.", ".layernorm_before."),
    (".norm2.", ".layernorm_after."),
    (".bn0.", ".batch_norm."),
)
_FUSED, _SPLIT = ".attn.qkv.", (".attention.self.query.", ".attention.self.key.", ".attention.self.value.")
_WITHOUT_TWIN = ("tscam_conv.", ".head.", "attn_mask")


def transformers_names(ours: str) -> tuple[str, ...]:
    """Return the names under which transformers keeps one of our tensors, for example `audio_branch.norm.weight`.

    Several names stand for parts that are joined along the first axis, in that order. No name: transformers leaves
    the tensor out, because it is never computed with (two layers of the classifier) or follows from the shape (the
    attention masks).
    """
    if ours.startswith("audio_branch."):
        if any(part in ours for part in _WITHOUT_TWIN):
            return ()
        for old, new in _SWIN:
            ours = ours.replace(old, new)
    for old, new in _TOWERS:
        ours = ours.replace(old, new)
    return tuple(ours.replace(_FUSED, third) for third in _SPLIT) if _FUSED in ours else (ours,)


def laion_name(theirs: str) -> str:
    """Return our name of a tensor of transformers' audio tower, `audio_model.audio_encoder.*`; of a third, the whole's.

    The inverse of `transformers_names`, for the audio tower.
    """
    for old, new in (_TOWERS[1], *_SWIN):
        theirs = theirs.replace(new, old)
    for third in _SPLIT:
        theirs = theirs.replace(third, _FUSED)
    return theirs
