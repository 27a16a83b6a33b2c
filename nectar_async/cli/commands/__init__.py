"""The commands of `nectar`, one module per group."""
