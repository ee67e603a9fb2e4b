"""The paper's own figures (Liu et al. 2023, arXiv 2301.12503; AudioCaps' test set), and what it concludes from them."""

from collections.abc import Mapping
from dataclasses import dataclass

LOWER_IS_BETTER = {
    "frechet": True,
    "inception": False,
    "kl": True,
    "accuracy": False,
    "class_accuracy": False,
    "lsd": True,
    "lsd_db": True,
    "hole_frechet": True,
    "hole_accuracy": False,
}
_FD_IS_KL = "frechet", "inception", "kl"


def _row(fd: float, inception: float, kl: float) -> dict[str, float]:
    return dict(zip(_FD_IS_KL, (fd, inception, kl), strict=True))


_S = _row(29.48, 6.90, 1.97)  # AudioLDM-S: audio embeddings, the full attention, no balance, no augmentation

# by experiment and variant; the figures are numbered as in the report in which we read them
PUBLISHED: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("trained", "audio"): _S,
    ("trained", "both"): _row(31.26, 6.35, 2.01),  # figure 6
    ("trained", "names"): _row(32.13, 4.02, 3.25),  # figure 5: RoBERTa
    ("trained", "ngrams"): _row(32.13, 4.02, 3.25),
    ("trained", "simple_attention"): _row(33.12, 6.15, 2.09),  # figure 9, and the next ones
    ("trained", "long_tail"): _S,  # its training set has one, too
    ("trained", "balanced"): _row(34.05, 6.21, 2.16),
    ("trained", "mixtures"): _row(31.88, 6.25, 2.02),
    ("steps", "10"): _row(55.84, 4.21, 2.47),  # figure 10
    ("steps", "25"): _row(42.84, 5.91, 2.12),
    ("steps", "50"): _row(35.71, 6.51, 2.01),
    ("steps", "100"): _row(30.17, 6.85, 1.94),
    ("steps", "200"): _row(29.48, 6.90, 1.97),
    ("upscaling", "unprocessed"): {"lsd": 2.76},  # figure 8
    ("upscaling", "processed"): {"lsd": 1.59},
    ("inpainting", "unprocessed"): {"frechet": 10.86},  # there by VGGish
    ("inpainting", "processed"): {"frechet": 2.33},
}


@dataclass(frozen=True)
class Claim:
    """What the paper found: by `metric`, `better` is better than `worse`."""

    part: str
    says: str
    experiment: str
    better: str  # variants
    worse: str
    metric: str


def _claims(part: str, says: str, experiment: str, better: str, worse: str, *metrics: str) -> list[Claim]:
    return [Claim(part, says, experiment, better, worse, metric) for metric in metrics]


CLAIMS: tuple[Claim, ...] = tuple(
    claim
    for claims in (
        _claims(
            "conditioning", "audio embeddings alone train better than text and audio", "trained", "audio", "both",
            *_FD_IS_KL,
        ),
        _claims(
            "encoder", "CLAP trains better than a text encoder without sounds (knows classes)", "trained", "audio",
            "names", *_FD_IS_KL,
        ),
        _claims(
            "encoder", "CLAP trains better than a text encoder without sounds (n-grams)", "trained", "audio",
            "ngrams", *_FD_IS_KL,
        ),
        _claims("ablation", "simple attention is worse", "trained", "audio", "simple_attention", *_FD_IS_KL),
        _claims("ablation", "balanced sampling is worse", "trained", "long_tail", "balanced", *_FD_IS_KL),
        _claims("ablation", "conditioning augmentation is worse", "trained", "audio", "mixtures", *_FD_IS_KL),
        *(
            _claims("steps", f"{more} steps are better than {fewer}", "steps", more, fewer, "frechet")
            for fewer, more in (("10", "25"), ("25", "50"), ("50", "100"), ("100", "200"))
        ),
        _claims("guidance", "a scale of 2 is better than none (1)", "guidance", "2", "1", "frechet"),
        _claims("guidance", "a scale of 2 is better than much (5)", "guidance", "2", "5", "frechet"),
        _claims("editing", "upscaling beats the unprocessed clip", "upscaling", "processed", "unprocessed", "lsd"),
        _claims(
            "editing", "inpainting beats the unprocessed gap", "inpainting", "processed", "unprocessed",
            "frechet", "hole_frechet",
        ),
    )
    for claim in claims
)  # fmt: skip
