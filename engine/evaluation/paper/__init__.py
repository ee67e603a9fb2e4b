"""The paper in small: its comparisons (Liu et al. 2023, §5) rerun on the shipped model and on nets like its own."""
