"""What must hold while things break: `make chaos` breaks them for real and says what held."""
