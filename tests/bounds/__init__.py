"""Every container of the program: where it is, what bounds it, and proof that it does."""
