"""The checks of `retake doctor`: one group for each file, each named by a row of `diagnosis.doctor.CHECKS`."""
