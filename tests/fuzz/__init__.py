"""Everything that is read from outside, fed with broken forms of what it should be: nothing raises what it must not.

In `make test` a hundred cases a test; `make fuzz` runs many more, prints its seed, and keeps what failed (and what led
to new places) under `.hypothesis` for the next run.
"""
