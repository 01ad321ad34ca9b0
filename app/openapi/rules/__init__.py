"""How the doors of the hub are described; nothing here knows the application."""
