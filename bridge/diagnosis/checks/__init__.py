"""What `retake doctor` looks at: one family of checks a file, each named by a row of `diagnosis.doctor.CHECKS`."""
