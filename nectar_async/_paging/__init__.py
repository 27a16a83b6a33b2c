"""Lists: pagers, fan-out and receipts."""
