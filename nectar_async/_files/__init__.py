"""Files: downloads of documents, and uploads."""
