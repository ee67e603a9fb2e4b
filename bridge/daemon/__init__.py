"""The daemon: its UDP socket, the dispatcher of requests, and those who subscribe to their replies."""
