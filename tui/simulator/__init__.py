"""A seeded random market, and the server that speaks the providers' protocols on top of it."""
