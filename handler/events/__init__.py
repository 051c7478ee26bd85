"""What the user's own code hears of a job: events, and the queue that they wait in."""
