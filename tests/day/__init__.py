"""A day and more of the feeds in a few seconds: real codecs and connections in virtual time, without a socket."""
