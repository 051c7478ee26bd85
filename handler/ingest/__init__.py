"""What is done with the callbacks of one invocation."""
