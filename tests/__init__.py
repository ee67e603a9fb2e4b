"""Tests of the house, file for file, and the campaigns; a package, so that no installed `tests` can stand in front."""
