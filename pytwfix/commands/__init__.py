"""The commands: each module has main(), which an entry point of setup.cfg names."""
