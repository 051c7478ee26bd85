"""Events about jobs for the user's own code, and the queue in which they wait."""
