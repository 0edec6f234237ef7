"""The soak: the whole dashboard for minutes at many times the usual rate, with faults, watched from the other side."""
