"""How fast the program is, against the limit of what it stands on, measured in the same run: `make bench`."""
