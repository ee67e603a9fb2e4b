"""The daemon between a workstation and the engine: it knows messages, jobs and files, and never touches a tensor."""

__version__ = "0.1.0"
