"""Pure decisions about systems: no database, clock or network."""
