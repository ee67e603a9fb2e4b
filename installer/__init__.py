"""How Retake becomes something that people install: one folder of programs, and the packages made of it."""
