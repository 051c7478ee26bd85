"""Programs for developers: build, install, check."""
