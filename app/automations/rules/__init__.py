"""Which steps follow an event, and what each one does; pure."""
