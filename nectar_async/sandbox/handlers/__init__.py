"""The handlers of all operations, one module for each noun of the API."""
