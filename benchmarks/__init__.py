"""Speed, size and requests of the function, side by side with what else one might write."""
