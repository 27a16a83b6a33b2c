"""What the package costs, beside what others cost in the same run; see README.md."""
