"""What becomes of callbacks after they are understood, and of failures after they are kept."""
