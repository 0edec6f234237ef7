"""Screens: main, help, symbol prompt, credentials."""
