"""The groups of operations: one class for each noun, one method for each operation."""
