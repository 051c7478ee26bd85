"""Readers of what a job's result says, by kind of job."""
