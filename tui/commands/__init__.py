"""The commands of the program that draw no screen, one module a command; each takes the parsed arguments."""
