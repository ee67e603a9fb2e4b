"""The protocol as data: requests, replies, their arguments, and OSC coding. Opens no socket."""
