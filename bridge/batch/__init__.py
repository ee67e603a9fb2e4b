"""`retake batch`: a list of requests, rendered into a folder."""
