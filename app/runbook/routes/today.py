"""Today's checklist."""
