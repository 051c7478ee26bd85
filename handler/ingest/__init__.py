"""The callbacks of one invocation: from body to record, dead letter, spill or log."""
