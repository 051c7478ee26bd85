"""The console in a real browser: `make test-browser`. Not part of the plain test run, since it
needs Chromium and playwright."""
