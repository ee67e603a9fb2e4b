"""Stands in for h5py in the bundle: laion-clap imports it beside functions of its training that Retake never calls."""
