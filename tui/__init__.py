"""tickdeck: a terminal dashboard for people who watch markets all day."""

__version__ = "0.1.0"
