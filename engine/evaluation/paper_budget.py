"""What the paper's experiments may cost in small: clips, steps and seeds. Imports nothing that is slow."""

from dataclasses import dataclass

PARTS = ("conditioning", "encoder", "ablation", "objective", "steps", "guidance", "editing")


@dataclass(frozen=True)
class Budget:
    """Equal for all variants of a comparison; costs are measured on one core of an AVX2 server."""

    name: str
    costs: str  # of all parts together, in words
    # trained: nets like the model's, fine-tuned from one start
    clips_per_class: int  # to learn from
    start_steps: int  # of the net without any condition from which every training begins
    cell_steps: int  # of each training
    batch_size: int
    marks: int  # measurements in the course of a training that is watched
    prompts_per_class: int  # of each net, at every measurement
    trained_seeds: int
    # sampled: the shipped model as it is
    prompts: int  # of each seed, classes taking turns
    sampled_seeds: int
    # the same in every budget, but for tests
    learning_rate: float = 1e-3
    mixture_share: float = 0.5  # mixtures of two clips, as a share of the clips, where a variant learns from them
    captions_per_clip: int = 6
    naming_steps: int = 300  # of the text tower that learns to name classes
    sampling_steps: int = 12  # DPM-Solver++(2M), for the trained nets
    guidance: float = 2.0  # likewise
    step_counts: tuple[int, ...] = (10, 25, 50, 100, 200)  # of DDIM, as in figure 10
    guidance_scales: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0)


BUDGETS: dict[str, Budget] = {
    budget.name: budget
    for budget in (
        Budget("small", "about 3 hours of one core", 40, 120, 120, 16, 3, 1, 2, prompts=11, sampled_seeds=3),
        Budget("full", "about 16 hours of one core", 150, 500, 1000, 16, 5, 4, 4, prompts=66, sampled_seeds=3),
    )
}
