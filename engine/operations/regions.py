"""Regions of a clip as pairs of samples grouped into excerpts that a model can process at once."""

from engine.requests.regions import Region


def group_regions(regions: list[Region], reach: int, context: int) -> list[list[Region]]:
    """Merged regions -> neighbours that fit together, with `context` samples on either side, into `reach` samples."""
    groups: list[list[Region]] = []
    for region in regions:
        if groups and region[1] - groups[-1][0][0] + 2 * context <= reach:
            groups[-1].append(region)
        else:
            groups.append([region])
    return groups


def excerpt_around(group: list[Region], num_samples: int, reach: int, context: int) -> Region:
    """The excerpt for a group: `reach` of them around it, more where it is longer, within the clip."""
    start, end = group[0][0], group[-1][1]
    length = min(num_samples, max(reach, end - start + 2 * context))
    first = (start + end - length) // 2
    first = min(max(0, first), num_samples - length)
    return first, first + length
