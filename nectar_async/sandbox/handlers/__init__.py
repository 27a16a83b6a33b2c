"""What each operation answers: one module a noun."""
