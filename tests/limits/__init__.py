"""Rates, budgets, logins and shared keys over real sockets, on a clock that the test moves."""
