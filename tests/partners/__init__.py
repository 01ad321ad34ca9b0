"""The nine systems around the hub, played by one small real HTTP server."""
