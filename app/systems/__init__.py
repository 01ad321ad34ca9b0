"""The nine systems: base URLs, credentials, endpoints and their secrets, breaker, limits."""
