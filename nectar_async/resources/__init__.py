"""The nouns of the API: one class each, one method an operation."""
