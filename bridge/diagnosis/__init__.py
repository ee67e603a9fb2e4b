"""`retake doctor` and `retake support`: what is wrong on this machine, and what helps to find a fault."""
